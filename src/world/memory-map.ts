/**
 * The physical memory map of every computer, and its interrupt numbers: those of QEMU's `virt` machine for RISC-V, so
 * that unmodified images find their devices. Sizes in bytes.
 */
export const CLINT = { base: 0x0200_0000, sizeBytes: 0x1_0000 } as const;
export const PCI_IO = { base: 0x0300_0000, sizeBytes: 0x1_0000 } as const;
export const PLIC = { base: 0x0c00_0000, sizeBytes: 0x60_0000 } as const;
export const UART = { base: 0x1000_0000, sizeBytes: 0x100, irq: 10 } as const;
export const PCI_ECAM = { base: 0x3000_0000, sizeBytes: 0x1000_0000 } as const;
export const PCI_MEMORY = { base: 0x4000_0000, sizeBytes: 0x4000_0000 } as const;
export const RAM_BASE = 0x8000_0000;
/** Source of INTA in slot 0: pin p of slot s drives this + (s + p - 1) mod 4. */
export const PCI_FIRST_IRQ = 32;
/** The first slot for a NIC: slot 0 is the host bridge. */
export const FIRST_NIC_SLOT = 1;
/** PLIC context of the first hart's machine level; its supervisor level has the next one. */
export const MACHINE_CONTEXT = 0;
