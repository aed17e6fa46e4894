/**
 * The serial port: a National Semiconductor PC16550D at its registers, with the 3.6864 MHz clock that QEMU's `virt`
 * machine states. A character takes the time on the line that divisor and format give it.
 *
 * Registers are bytes and several share an offset (by direction, and by LCR.DLAB), so they are decoded by hand; the
 * masks come from {@link UART}. A wider access reaches the one register at its offset. The modem lines are wired to an
 * attentive peer (CTS, DSR and DCD on), and characters never arrive damaged, so PE, FE and BI stay 0. Not modelled: the
 * break that LCR.SET_BREAK sends, DMA mode, and the delay of THRE after a single character.
 */
import { getField } from '../../src/lib/bits.ts';
import type { AccessSize, BusDevice } from '../bus/bus.ts';
import type { LineSource } from '../bus/line.ts';
import type { Clock, Timer, TimerState } from '../sim/clock.ts';
import { RESET_DIVISOR, UART } from './uart16550-registers.ts';

const CLOCK_HZ = 3_686_400;
const CLOCKS_PER_BIT = 16;
/** A character takes no longer than this, whatever the divisor says. */
const MAX_CHARACTER_NS = 50_000_000;
/** Silence, in characters, after which a FIFO below its trigger level asks for attention. */
const TIMEOUT_CHARACTERS = 4;
const FIFO_BYTES = 16;
/** By FCR.RECEIVER_TRIGGER. */
const TRIGGER_BYTES = [1, 4, 8, 14] as const;
/** Registers by offset. */
const NAMES: readonly string[] = ['RBR/THR/DLL', 'IER/DLM', 'IIR/FCR', 'LCR', 'MCR', 'LSR', 'MSR', 'SCR'];

/** IIR.ID with NONE_PENDING below it. */
const ID_MODEM = 0b0000;
const ID_NONE = 0b0001;
const ID_HOLDING_EMPTY = 0b0010;
const ID_DATA = 0b0100;
const ID_LINE_STATUS = 0b0110;
const ID_TIMEOUT = 0b1100;

export interface UartState {
  readonly ier: number;
  readonly lcr: number;
  readonly mcr: number;
  readonly scr: number;
  readonly divisor: number;
  readonly modemDelta: number;
  readonly trigger: number;
  readonly fifoEnabled: boolean;
  readonly received: readonly number[];
  readonly toSend: readonly number[];
  readonly shifting: number;
  readonly overrun: boolean;
  readonly holdingEmpty: boolean;
  readonly timedOut: boolean;
  readonly transmitTimer: TimerState;
  readonly timeoutTimer: TimerState;
}

export class Uart16550 implements BusDevice {
  readonly name = 'UART';
  /** The serial line: called when the last bit of `byte` has left. */
  onTransmit: ((byte: number) => void) | null = null;
  readonly #irq: LineSource;
  readonly #transmitTimer: Timer;
  readonly #timeoutTimer: Timer;
  #ier = 0;
  #lcr = 0;
  #mcr = 0;
  #scr = 0;
  #divisor = RESET_DIVISOR;
  #modemDelta = 0;
  #trigger = 0;
  #fifoEnabled = false;
  readonly #received: number[] = [];
  /** Characters in THR, or in the transmitter FIFO. */
  readonly #toSend: number[] = [];
  /** The character in the transmitter's shift register, or -1. */
  #shifting = -1;
  #overrun = false;
  /** The holding register became empty, and software has neither read that in IIR nor written THR since. */
  #holdingEmpty = false;
  #timedOut = false;

  constructor(clock: Clock, irq: LineSource) {
    this.#irq = irq;
    this.#transmitTimer = clock.timer(() => this.#sent());
    this.#timeoutTimer = clock.timer(() => {
      this.#timedOut = true;
      this.#update();
    });
  }

  /** A character comes in over the serial line. */
  receive(byte: number): void {
    if ((this.#mcr & UART.MCR.LOOP) === 0) this.#accept(byte);
  }

  read(offset: number, _size: AccessSize): number {
    const value = this.peek(offset);
    if (offset === UART.RBR.at && !this.#dlab()) this.#takeReceived();
    else if (offset === UART.IIR.at && (value & 0xf) === ID_HOLDING_EMPTY) this.#holdingEmpty = false;
    else if (offset === UART.LSR.at) this.#overrun = false;
    else if (offset === UART.MSR.at) this.#modemDelta = 0;
    this.#update();
    return value;
  }

  /** What a read would return, without its side effects. */
  peek(offset: number): number {
    switch (offset) {
      case UART.RBR.at:
        return this.#dlab() ? this.#divisor & 0xff : (this.#received[0] ?? 0);
      case UART.IER.at:
        return this.#dlab() ? this.#divisor >>> 8 : this.#ier;
      case UART.IIR.at:
        return this.#interruptId() | (this.#fifoEnabled ? UART.IIR.FIFOS_ENABLED : 0);
      case UART.LCR.at:
        return this.#lcr;
      case UART.MCR.at:
        return this.#mcr;
      case UART.LSR.at:
        return this.#lineStatus();
      case UART.MSR.at:
        return this.#modemLines() | this.#modemDelta;
      case UART.SCR.at:
        return this.#scr;
      default:
        return 0;
    }
  }

  write(offset: number, _size: AccessSize, value: number): void {
    const byte = value & 0xff;
    switch (offset) {
      case UART.THR.at:
        if (this.#dlab()) this.#divisor = (this.#divisor & 0xff00) | byte;
        else this.#hold(byte);
        break;
      case UART.IER.at:
        if (this.#dlab()) this.#divisor = (this.#divisor & 0xff) | (byte << 8);
        else this.#enable(byte);
        break;
      case UART.FCR.at:
        this.#controlFifos(byte);
        break;
      case UART.LCR.at:
        this.#lcr = byte;
        break;
      case UART.MCR.at:
        this.#controlModem(byte);
        break;
      case UART.SCR.at:
        this.#scr = byte;
        break;
    }
    this.#update();
  }

  nameAt(offset: number): string {
    return NAMES[offset] ?? `offset ${offset}`;
  }

  save(): UartState {
    return {
      ier: this.#ier,
      lcr: this.#lcr,
      mcr: this.#mcr,
      scr: this.#scr,
      divisor: this.#divisor,
      modemDelta: this.#modemDelta,
      trigger: this.#trigger,
      fifoEnabled: this.#fifoEnabled,
      received: [...this.#received],
      toSend: [...this.#toSend],
      shifting: this.#shifting,
      overrun: this.#overrun,
      holdingEmpty: this.#holdingEmpty,
      timedOut: this.#timedOut,
      transmitTimer: this.#transmitTimer.save(),
      timeoutTimer: this.#timeoutTimer.save(),
    };
  }

  load(state: UartState): void {
    this.#ier = state.ier;
    this.#lcr = state.lcr;
    this.#mcr = state.mcr;
    this.#scr = state.scr;
    this.#divisor = state.divisor;
    this.#modemDelta = state.modemDelta;
    this.#trigger = state.trigger;
    this.#fifoEnabled = state.fifoEnabled;
    this.#received.splice(0, FIFO_BYTES, ...state.received);
    this.#toSend.splice(0, FIFO_BYTES, ...state.toSend);
    this.#shifting = state.shifting;
    this.#overrun = state.overrun;
    this.#holdingEmpty = state.holdingEmpty;
    this.#timedOut = state.timedOut;
    this.#transmitTimer.load(state.transmitTimer);
    this.#timeoutTimer.load(state.timeoutTimer);
    this.#update();
  }

  #dlab(): boolean {
    return (this.#lcr & UART.LCR.DLAB) !== 0;
  }

  // Transmitter.

  /** A write to THR. Without room the character is lost from the FIFO, or replaces the one in THR. */
  #hold(byte: number): void {
    this.#holdingEmpty = false;
    if (!this.#fifoEnabled) this.#toSend.length = 0;
    if (this.#toSend.length < FIFO_BYTES) this.#toSend.push(byte);
    if (this.#shifting < 0) this.#shift();
  }

  #shift(): void {
    this.#shifting = this.#toSend.shift()!;
    if (this.#toSend.length === 0) this.#holdingEmpty = true;
    this.#transmitTimer.armIn(this.#characterNs());
  }

  #sent(): void {
    const byte = this.#shifting;
    this.#shifting = -1;
    if (this.#toSend.length > 0) this.#shift();
    if ((this.#mcr & UART.MCR.LOOP) !== 0) this.#accept(byte);
    else this.onTransmit?.(byte);
    this.#update();
  }

  /** Start bit, data bits, parity bit, stop bits. */
  #characterNs(): number {
    const dataBits = 5 + getField(this.#lcr, UART.LCR.WLS);
    const parityBits = getField(this.#lcr, UART.LCR.PEN);
    const longStop = dataBits === 5 ? 1.5 : 2;
    const stopBits = (this.#lcr & UART.LCR.STB) === 0 ? 1 : longStop;
    const clocks = (1 + dataBits + parityBits + stopBits) * CLOCKS_PER_BIT * Math.max(this.#divisor, 1);
    return Math.min(Math.round((clocks * 1e9) / CLOCK_HZ), MAX_CHARACTER_NS);
  }

  // Receiver.

  /** In FIFO mode a character without room is lost; without a FIFO it replaces the one in RBR. */
  #accept(byte: number): void {
    const capacity = this.#fifoEnabled ? FIFO_BYTES : 1;
    if (this.#received.length < capacity) this.#received.push(byte);
    else {
      this.#overrun = true;
      if (!this.#fifoEnabled) this.#received[0] = byte;
    }
    this.#watchSilence();
    this.#update();
  }

  #takeReceived(): void {
    this.#received.shift();
    this.#timedOut = false;
    this.#watchSilence();
  }

  #watchSilence(): void {
    if (this.#fifoEnabled && this.#received.length > 0)
      this.#timeoutTimer.armIn(TIMEOUT_CHARACTERS * this.#characterNs());
    else this.#timeoutTimer.cancel();
  }

  #clearReceiver(): void {
    this.#received.length = 0;
    this.#timedOut = false;
    this.#timeoutTimer.cancel();
  }

  // Control and status.

  #enable(byte: number): void {
    const { ERBFI, ETBEI, ELSI, EDSSI } = UART.IER;
    const enabled = byte & (ERBFI | ETBEI | ELSI | EDSSI);
    if ((enabled & ~this.#ier & ETBEI) !== 0 && this.#toSend.length === 0) this.#holdingEmpty = true;
    this.#ier = enabled;
  }

  #controlFifos(byte: number): void {
    const enable = (byte & UART.FCR.FIFO_ENABLE) !== 0;
    const changed = enable !== this.#fifoEnabled;
    this.#fifoEnabled = enable;
    if (changed || (enable && (byte & UART.FCR.RCVR_RESET) !== 0)) this.#clearReceiver();
    if ((changed || (enable && (byte & UART.FCR.XMIT_RESET) !== 0)) && this.#toSend.length > 0) {
      this.#toSend.length = 0;
      this.#holdingEmpty = true;
    }
    if (enable) this.#trigger = getField(byte, UART.FCR.RECEIVER_TRIGGER);
  }

  #controlModem(byte: number): void {
    const { DTR, RTS, OUT1, OUT2, LOOP } = UART.MCR;
    const before = this.#modemLines();
    this.#mcr = byte & (DTR | RTS | OUT1 | OUT2 | LOOP);
    const after = this.#modemLines();
    const { CTS, DSR, RI, DCD } = UART.MSR;
    // The change bits lie four below their lines; for RI only going off counts.
    this.#modemDelta |= (((before ^ after) & (CTS | DSR | DCD)) | (before & ~after & RI)) >>> 4;
  }

  #modemLines(): number {
    const { CTS, DSR, RI, DCD } = UART.MSR;
    if ((this.#mcr & UART.MCR.LOOP) === 0) return CTS | DSR | DCD;
    const { DTR, RTS, OUT1, OUT2 } = UART.MCR;
    const on = (control: number, line: number) => ((this.#mcr & control) === 0 ? 0 : line);
    return on(RTS, CTS) | on(DTR, DSR) | on(OUT1, RI) | on(OUT2, DCD);
  }

  #lineStatus(): number {
    const { DR, OE, THRE, TEMT } = UART.LSR;
    const empty = this.#toSend.length === 0;
    return (
      (this.#received.length > 0 ? DR : 0) |
      (this.#overrun ? OE : 0) |
      (empty ? THRE : 0) |
      (empty && this.#shifting < 0 ? TEMT : 0)
    );
  }

  /** The interrupt of the highest priority, in the manual's order. */
  #interruptId(): number {
    const { ERBFI, ETBEI, ELSI, EDSSI } = UART.IER;
    const ier = this.#ier;
    if ((ier & ELSI) !== 0 && this.#overrun) return ID_LINE_STATUS;
    if ((ier & ERBFI) !== 0) {
      if (this.#received.length >= (this.#fifoEnabled ? TRIGGER_BYTES[this.#trigger]! : 1)) return ID_DATA;
      if (this.#timedOut) return ID_TIMEOUT;
    }
    if ((ier & ETBEI) !== 0 && this.#holdingEmpty) return ID_HOLDING_EMPTY;
    return (ier & EDSSI) !== 0 && this.#modemDelta !== 0 ? ID_MODEM : ID_NONE;
  }

  /** The interrupt pin, recomputed after each change. */
  #update(): void {
    this.#irq.set(this.#interruptId() !== ID_NONE);
  }
}
