/**
 * Drivers and hardware each have their own register constants. Here both meet a third copy, typed from the manuals, so
 * that neither one typo nor the same typo twice goes unseen.
 */
import { describe, expect, it } from 'vitest';
import * as clintDriver from '../../../drivers/clint.ts';
import * as pciDriver from '../../../drivers/pci.ts';
import * as plicDriver from '../../../drivers/plic.ts';
import * as uartDriver from '../../../drivers/uart16550.ts';
import { CLINT } from '../../../hw/irq/clint.ts';
import { PLIC } from '../../../hw/irq/plic.ts';
import { CONFIG } from '../../../hw/pci/config.ts';
import { UART } from '../../../hw/serial/uart16550-registers.ts';

/** Name, the manual's value, the hardware's, and the driver's (null: the driver has no use for it). */
type Row = readonly [name: string, manual: number, hardware: number, driver: number | null];

/** RISC-V PLIC specification 1.0.0, chapter 3, "Memory Map". */
const PLIC_ROWS: readonly Row[] = [
  ['priority of source 1', 0x00_0004, PLIC.PRIORITY.at, plicDriver.PRIORITY + 4],
  ['pending bits', 0x00_1000, PLIC.PENDING.at, null],
  ['enable bits of context 0', 0x00_2000, PLIC.ENABLE.at, plicDriver.ENABLE],
  ['threshold of context 0', 0x20_0000, PLIC.THRESHOLD.at, plicDriver.THRESHOLD],
  ['claim/complete of context 0', 0x20_0004, PLIC.CLAIM.at, plicDriver.CLAIM],
];

/** RISC-V ACLINT specification, and the SiFive CLINT that it stays compatible with. */
const CLINT_ROWS: readonly Row[] = [
  ['msip of hart 0', 0x0000, CLINT.MSIP.at, null],
  ['bytes from one msip to the next', 4, CLINT.MSIP.stride, null],
  ['mtimecmp of hart 0', 0x4000, CLINT.MTIMECMP.at, clintDriver.MTIMECMP],
  ['its high word', 0x4004, CLINT.MTIMECMPH.at, clintDriver.MTIMECMP + 4],
  ['bytes from one mtimecmp to the next', 8, CLINT.MTIMECMP.stride, clintDriver.MTIMECMP_PER_HART],
  ['the same for the high words', 8, CLINT.MTIMECMPH.stride, clintDriver.MTIMECMP_PER_HART],
  ['mtime', 0xbff8, CLINT.MTIME.at, null],
  ['its high word', 0xbffc, CLINT.MTIMEH.at, null],
];

/** PC16550D data sheet, table "Summary of Registers". */
const UART_ROWS: readonly Row[] = [
  ['RBR', 0, UART.RBR.at, null],
  ['THR', 0, UART.THR.at, uartDriver.THR],
  ['DLL', 0, UART.DLL.at, uartDriver.DLL],
  ['IER', 1, UART.IER.at, uartDriver.IER],
  ['DLM', 1, UART.DLM.at, uartDriver.DLM],
  ['IIR', 2, UART.IIR.at, uartDriver.IIR],
  ['FCR', 2, UART.FCR.at, uartDriver.FCR],
  ['LCR', 3, UART.LCR.at, uartDriver.LCR],
  ['MCR', 4, UART.MCR.at, null],
  ['LSR', 5, UART.LSR.at, uartDriver.LSR],
  ['MSR', 6, UART.MSR.at, null],
  ['SCR', 7, UART.SCR.at, null],
  ['IER.ERBFI', 0x01, UART.IER.ERBFI, null],
  ['IER.ETBEI', 0x02, UART.IER.ETBEI, uartDriver.IER_ETBEI],
  ['IER.ELSI', 0x04, UART.IER.ELSI, null],
  ['IER.EDSSI', 0x08, UART.IER.EDSSI, null],
  ['IIR: 0 if interrupt pending', 0x01, UART.IIR.NONE_PENDING, uartDriver.IIR_NONE_PENDING],
  ['IIR: interrupt ID', 0x0e, UART.IIR.ID, null],
  ['IIR: FIFOs enabled', 0xc0, UART.IIR.FIFOS_ENABLED, null],
  ['FCR: FIFO enable', 0x01, UART.FCR.FIFO_ENABLE, uartDriver.FCR_FIFO_ENABLE],
  ['FCR: RCVR FIFO reset', 0x02, UART.FCR.RCVR_RESET, uartDriver.FCR_RCVR_RESET],
  ['FCR: XMIT FIFO reset', 0x04, UART.FCR.XMIT_RESET, uartDriver.FCR_XMIT_RESET],
  ['FCR: DMA mode', 0x08, UART.FCR.DMA_MODE, null],
  ['FCR: RCVR trigger', 0xc0, UART.FCR.RECEIVER_TRIGGER, null],
  ['LCR: word length, 8 bits', 0x03, UART.LCR.WLS, uartDriver.LCR_WLS_8],
  ['LCR.STB', 0x04, UART.LCR.STB, null],
  ['LCR.PEN', 0x08, UART.LCR.PEN, null],
  ['LCR.EPS', 0x10, UART.LCR.EPS, null],
  ['LCR: stick parity', 0x20, UART.LCR.STICK_PARITY, null],
  ['LCR: set break', 0x40, UART.LCR.SET_BREAK, null],
  ['LCR.DLAB', 0x80, UART.LCR.DLAB, uartDriver.LCR_DLAB],
  ['MCR.DTR', 0x01, UART.MCR.DTR, null],
  ['MCR.RTS', 0x02, UART.MCR.RTS, null],
  ['MCR: out 1', 0x04, UART.MCR.OUT1, null],
  ['MCR: out 2', 0x08, UART.MCR.OUT2, null],
  ['MCR: loop', 0x10, UART.MCR.LOOP, null],
  ['LSR.DR', 0x01, UART.LSR.DR, null],
  ['LSR.OE', 0x02, UART.LSR.OE, null],
  ['LSR.PE', 0x04, UART.LSR.PE, null],
  ['LSR.FE', 0x08, UART.LSR.FE, null],
  ['LSR.BI', 0x10, UART.LSR.BI, null],
  ['LSR.THRE', 0x20, UART.LSR.THRE, uartDriver.LSR_THRE],
  ['LSR.TEMT', 0x40, UART.LSR.TEMT, null],
  ['LSR: error in RCVR FIFO', 0x80, UART.LSR.FIFO_ERROR, null],
  ['MSR.DCTS', 0x01, UART.MSR.DCTS, null],
  ['MSR.DDSR', 0x02, UART.MSR.DDSR, null],
  ['MSR.TERI', 0x04, UART.MSR.TERI, null],
  ['MSR.DDCD', 0x08, UART.MSR.DDCD, null],
  ['MSR.CTS', 0x10, UART.MSR.CTS, null],
  ['MSR.DSR', 0x20, UART.MSR.DSR, null],
  ['MSR.RI', 0x40, UART.MSR.RI, null],
  ['MSR.DCD', 0x80, UART.MSR.DCD, null],
];

const { COMMAND_STATUS } = CONFIG;

/** PCI Local Bus Specification 3.0, figure 6-1 and tables 6-1 and 6-2; status bits stand in the upper half here. */
const PCI_ROWS: readonly Row[] = [
  ['vendor ID', 0x00, CONFIG.ID.at, pciDriver.VENDOR_ID],
  ['device ID', 0x02, CONFIG.ID.at + byteOf(CONFIG.ID.DEVICE), pciDriver.DEVICE_ID],
  ['command', 0x04, COMMAND_STATUS.at, pciDriver.COMMAND],
  ['status', 0x06, COMMAND_STATUS.at + 2, null],
  ['class code', 0x09, CONFIG.CLASS_REVISION.at + byteOf(CONFIG.CLASS_REVISION.CLASS), null],
  ['cache line size', 0x0c, CONFIG.CACHE_LATENCY_HEADER_BIST.at, null],
  ['latency timer', 0x0d, 0x0c + byteOf(CONFIG.CACHE_LATENCY_HEADER_BIST.LATENCY_TIMER), null],
  ['header type', 0x0e, 0x0c + byteOf(CONFIG.CACHE_LATENCY_HEADER_BIST.HEADER_TYPE), pciDriver.HEADER_TYPE],
  ['BIST', 0x0f, 0x0c + byteOf(CONFIG.CACHE_LATENCY_HEADER_BIST.BIST), null],
  ['first base address', 0x10, CONFIG.BAR.at, pciDriver.BAR],
  ['subsystem vendor ID', 0x2c, CONFIG.SUBSYSTEM.at, null],
  ['subsystem ID', 0x2e, CONFIG.SUBSYSTEM.at + byteOf(CONFIG.SUBSYSTEM.ID), null],
  ['expansion ROM base address', 0x30, CONFIG.EXPANSION_ROM.at, null],
  ['capabilities pointer', 0x34, CONFIG.CAPABILITIES.at, null],
  ['interrupt line', 0x3c, CONFIG.INTERRUPT.at, pciDriver.INTERRUPT_LINE],
  ['interrupt pin', 0x3d, CONFIG.INTERRUPT.at + byteOf(CONFIG.INTERRUPT.PIN), pciDriver.INTERRUPT_PIN],
  ['command: I/O space', 1 << 0, COMMAND_STATUS.IO_SPACE, pciDriver.COMMAND_IO_SPACE],
  ['command: memory space', 1 << 1, COMMAND_STATUS.MEMORY_SPACE, pciDriver.COMMAND_MEMORY_SPACE],
  ['command: bus master', 1 << 2, COMMAND_STATUS.BUS_MASTER, pciDriver.COMMAND_BUS_MASTER],
  ['command: special cycles', 1 << 3, COMMAND_STATUS.SPECIAL_CYCLES, null],
  ['command: memory write and invalidate', 1 << 4, COMMAND_STATUS.MEMORY_WRITE_INVALIDATE, null],
  ['command: VGA palette snoop', 1 << 5, COMMAND_STATUS.VGA_PALETTE_SNOOP, null],
  ['command: parity error response', 1 << 6, COMMAND_STATUS.PARITY_ERROR_RESPONSE, null],
  ['command: SERR# enable', 1 << 8, COMMAND_STATUS.SERR_ENABLE, null],
  ['command: fast back-to-back enable', 1 << 9, COMMAND_STATUS.FAST_BACK_TO_BACK_ENABLE, null],
  ['command: interrupt disable', 1 << 10, COMMAND_STATUS.INTERRUPT_DISABLE, null],
  ['status: interrupt', 1 << 3, COMMAND_STATUS.INTERRUPT_STATUS >>> 16, null],
  ['status: capabilities list', 1 << 4, COMMAND_STATUS.CAPABILITIES_LIST >>> 16, null],
  ['status: 66 MHz capable', 1 << 5, COMMAND_STATUS.CAPABLE_66MHZ >>> 16, null],
  ['status: fast back-to-back capable', 1 << 7, COMMAND_STATUS.FAST_BACK_TO_BACK >>> 16, null],
  ['status: master data parity error', 1 << 8, COMMAND_STATUS.MASTER_DATA_PARITY_ERROR >>> 16, null],
  ['status: DEVSEL timing', 3 << 9, COMMAND_STATUS.DEVSEL_TIMING >>> 16, null],
  ['status: signaled target abort', 1 << 11, COMMAND_STATUS.SIGNALED_TARGET_ABORT >>> 16, null],
  ['status: received target abort', 1 << 12, COMMAND_STATUS.RECEIVED_TARGET_ABORT >>> 16, null],
  ['status: received master abort', 1 << 13, COMMAND_STATUS.RECEIVED_MASTER_ABORT >>> 16, null],
  ['status: signaled system error', 1 << 14, COMMAND_STATUS.SIGNALED_SYSTEM_ERROR >>> 16, null],
  ['status: detected parity error', 1 << 15, COMMAND_STATUS.DETECTED_PARITY_ERROR >>> 16, null],
];

/** The byte of a dword in which a field begins. */
function byteOf(mask: number): number {
  return (31 - Math.clz32(mask & -mask)) >>> 3;
}

describe.each([
  ['PLIC', PLIC_ROWS],
  ['CLINT', CLINT_ROWS],
  ['16550', UART_ROWS],
  ['PCI header', PCI_ROWS],
])('registers of the %s', (_, rows) => {
  it.each(rows)('%s is %i in the manual, in hardware and in the driver', (_name, manual, hardware, driver) => {
    expect(hardware).toBe(manual);
    if (driver !== null) expect(driver).toBe(manual);
  });
});

it('the PLIC steps from one context to the next as its driver does', () => {
  // PLIC specification 1.0.0: enable bits 0x80 per context, threshold and claim 0x1000.
  expect([plicDriver.ENABLE_PER_CONTEXT, plicDriver.THRESHOLD_PER_CONTEXT]).toEqual([0x80, 0x1000]);
});

it('UART declares every byte register without overlap of fields', () => {
  for (const [name, { fields }] of Object.entries(UART)) {
    let named = 0;
    for (const [field, [, hi, lo]] of Object.entries(fields)) {
      const mask = 2 ** (hi + 1) - 2 ** lo;
      expect(named & mask, `${name}.${field}`).toBe(0);
      expect(hi, `${name}.${field}`).toBeLessThan(8);
      named |= mask;
    }
  }
});
