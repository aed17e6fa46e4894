/**
 * Interrupts, 13.4.17 to 13.4.21: a handler that does next to nothing, and deferred work that does the rest with the
 * ring causes masked, so that a flood of frames costs one interrupt and not one each.
 *
 * ICR latches causes whether or not they are masked; the line is high while a latched cause is unmasked. Three races,
 * and why each is harmless:
 * - A frame that comes in while the causes are masked is latched. If it comes after the poll's last look at the ring
 *   but before the write of IMS, that write raises the line at once. A frame that the poll did see may still be latched: one interrupt for
 *   nothing is the price.
 * - The line is shared, so the handler also runs when a neighbour interrupts, maybe in the middle of the poll. Its read
 *   of ICR then eats a cause that was latched for us. This is why it puts the work in line again for whatever it read,
 *   masked or not: work that is running runs once more.
 * - LSC stays unmasked throughout. It is remembered before the work is scheduled, and forgotten before STATUS is read,
 *   so a change in between is looked at again.
 */
import type { DeferredWork, Platform } from '../../kernel/driver-api.ts';
import type { Mmio } from './mmio.ts';
import { ICR, ICR_ALL, ICR_LSC, ICR_RXDMT0, ICR_RXO, ICR_RXT0, ICR_TXDW, ICS, IMC, IMS } from './registers.ts';

/** Causes that mean: look at the rings. */
const RING_CAUSES = ICR_TXDW | ICR_RXDMT0 | ICR_RXO | ICR_RXT0;

/** What the deferred work does. */
export interface InterruptService {
  /** Looks at both rings. True when more is left than one turn may do. */
  pollRings(): boolean;
  checkLink(): void;
}

export class InterruptControl {
  readonly #regs: Mmio;
  readonly #platform: Platform;
  readonly #irq: number;
  readonly #name: string;
  readonly #service: InterruptService;
  readonly #work: DeferredWork;
  #running = false;
  #linkPending = false;

  constructor(regs: Mmio, platform: Platform, irq: number, name: string, service: InterruptService) {
    this.#regs = regs;
    this.#platform = platform;
    this.#irq = irq;
    this.#name = name;
    this.#service = service;
    this.#work = platform.deferred(`${name} poll`, () => this.#poll());
  }

  start(): void {
    this.#running = true;
    this.#platform.interrupts.request(this.#irq, this.#name, this.#handle);
    this.#regs.write(IMS, RING_CAUSES | ICR_LSC);
    // A link that was up all along does not change, so its first check is asked for (13.4.19).
    this.#regs.write(ICS, ICR_LSC);
  }

  /** After this neither handler nor work touches the device; work that is still in line does nothing. */
  stop(): void {
    this.#running = false;
    maskInterrupts(this.#regs);
    this.#platform.interrupts.release(this.#irq, this.#handle);
  }

  readonly #handle = (): boolean => {
    const causes = this.#regs.read(ICR); // clears it
    if (causes === 0) return false;
    if ((causes & ICR_LSC) !== 0) this.#linkPending = true;
    this.#regs.write(IMC, RING_CAUSES);
    this.#work.schedule();
    return true;
  };

  #poll(): boolean {
    if (!this.#running) return false;
    if (this.#linkPending) {
      this.#linkPending = false;
      this.#service.checkLink();
    }
    if (this.#service.pollRings()) return true; // still masked
    this.#regs.write(IMS, RING_CAUSES);
    return false;
  }
}

/** Masks every cause. What is latched stays so, and at worst interrupts for nothing later. */
export function maskInterrupts(regs: Mmio): void {
  regs.write(IMC, ICR_ALL);
}
