/**
 * The PHY of an 82540EM, an M88E1011: MII registers, the link, and the path of frames between MAC and medium.
 *
 * Software reaches it by MDIO (`readRegister`, `writeRegister`), the MAC as {@link Phy}, a cable or hub as
 * {@link MediumListener}. The link state machine is `link.ts`; this file keeps the registers true to it.
 *
 * The M88 rule: speed, duplex, ANE and crossover that software writes take effect at RESET, ANRESTART or the end of a power-down,
 * advertisements also when a negotiation begins by itself. See `reference/e1000.md` section 3.
 */
import { getField, setField } from '../../../src/lib/bits.ts';
import { RegisterFile, type ReservedTap } from '../../bus/registers.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Prng, PrngState } from '../../sim/prng.ts';
import type { Frame } from '../frame.ts';
import {
  BIT_NS,
  type CarrierListener,
  type LinkSignal,
  type MediumListener,
  type MediumPort,
  type Phy,
  type PhyLink,
  type PhyListener,
  type SpeedMbps,
  type Transmission,
} from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';
import { Link, type LinkState, type Resolution } from './link.ts';
import { Mdix, type MdixState } from './mdix.ts';
import { type LinkMode, type Pages, pagesOf } from './negotiation.ts';
import { MII, MII_REGISTER_COUNT } from './registers.ts';
import { recordResolution } from './resolution.ts';
import { Transceiver, type TransceiverState } from './transceiver.ts';

const { PCTRL, PSTATUS, ANA, LPA, ANE, GCON, GSTAT, PSCON, PSSTAT, PINTE, PINTS, PREC } = MII;

/** The speeds as the registers code them. */
const SPEED_OF_CODE: readonly SpeedMbps[] = [10, 100, 1000, 1000];
const CODE_OF_SPEED: Readonly<Record<SpeedMbps, number>> = { 10: 0, 100: 1, 1000: 2 };

const LINK_DOWN: PhyLink = { up: false, speed: 10, fullDuplex: false };

export interface PhyState {
  readonly registers: Int32Array;
  readonly link: PhyLink;
  readonly machine: LinkState;
  readonly signal: LinkSignal | null;
  readonly held: boolean;
  readonly prng: PrngState;
  readonly looped: TransmissionState | null;
  readonly loopTimer: TimerState;
  readonly transceiver: TransceiverState;
  readonly crossover: MdixState;
}

export class M88E1011 implements Phy, MediumListener {
  listener: PhyListener | null = null;
  /** The interrupt pin: called when it changes. It is high while a cause of PINTS is enabled in PINTE. */
  onInterrupt: ((level: boolean) => void) | null = null;
  /** Observation; null unless somebody watches. */
  onLink: ((link: PhyLink) => void) | null = null;
  readonly prng: Prng;
  readonly crossover: Mdix;
  readonly #registers = new RegisterFile(MII, 4 * MII_REGISTER_COUNT);
  readonly #machine: Link;
  /** Due when the last bit of `#looped` has come back. */
  readonly #loopTimer: Timer;
  /** The alarms of 10 Mb/s. */
  readonly #transceiver: Transceiver;
  #port: MediumPort | null = null;
  #signal: LinkSignal | null = null;
  #link: PhyLink = LINK_DOWN;
  #bitNs = BIT_NS[LINK_DOWN.speed];
  #held = false;
  #interrupt = false;
  #looped: Transmission | null = null;

  /** A PHY that powers up now: it begins to negotiate. `prng` gives the seeds that settle who is master. */
  constructor(clock: Clock, prng: Prng) {
    this.prng = prng;
    this.crossover = new Mdix(prng.fork('mdix'), crossed => this.#crossed(crossed));
    this.#machine = new Link(clock, {
      send: signal => this.#send(signal),
      pages: () => this.#pages(),
      resolved: resolution => this.#resolved(resolution),
      linkUp: (mode, negotiated) => this.#linkUp(mode, negotiated),
      linkDown: () => this.#linkDown(),
    });
    this.#loopTimer = clock.timer(() => this.#loopBack());
    this.#transceiver = new Transceiver(clock, {
      cutOff: transmission => this.#port?.abort(transmission),
      collision: () => this.listener?.collision(),
      signalQuality: () => this.listener?.signalQuality(),
      jabber: on => this.#jabber(on),
    });
    this.#start();
  }

  get link(): PhyLink {
    return this.#link;
  }

  set onReserved(tap: ReservedTap | null) {
    this.#registers.onReserved = tap;
  }

  /** Whether a MAC in half duplex gets its own transmissions back as carrier. */
  get echoesCarrier(): boolean {
    return (this.#registers.values[PSCON.n]! & PSCON.ASSERT_CRS_ON_TX) !== 0;
  }

  // From software, by MDIO.

  /** The 16 bits of register `reg`, with the side effects of a read; -1 where there is no such register. */
  readRegister(reg: number): number {
    const slot = this.#registers.slot(4 * reg);
    if (slot === 0) return -1;
    const value = this.#registers.read(slot);
    if (slot === PSTATUS.n && this.#link.up) this.#registers.values[PSTATUS.n]! |= PSTATUS.LINK;
    if (slot === PINTS.n) this.#updateInterrupt();
    return value;
  }

  /** As {@link readRegister}, without side effects. */
  peekRegister(reg: number): number {
    const slot = this.#registers.slot(4 * reg);
    return slot === 0 ? -1 : this.#registers.peek(slot);
  }

  /** Writes 16 bits. False where there is no such register. */
  writeRegister(reg: number, value: number): boolean {
    const slot = this.#registers.slot(4 * reg);
    if (slot === 0) return false;
    const before = this.#registers.values[slot]!;
    this.#registers.write(slot, value & 0xffff);
    if (slot === PCTRL.n) this.#control(before);
    else if (slot === PINTE.n) this.#updateInterrupt();
    else if (slot === PSCON.n) this.#configureTransceiver();
    return true;
  }

  /** The reset pin. While it is held the PHY is silent; on release every register has its reset value. */
  holdReset(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    this.#linkDown();
    this.#registers.reset('power-on');
    this.#configureTransceiver();
    this.#start();
  }

  // From the MAC.

  transmit(transmission: Transmission): void {
    const control = this.#registers.values[PCTRL.n]!;
    if ((control & (PCTRL.LOOPBACK | PCTRL.ISOLATE)) === 0) {
      if (!this.#link.up || !this.#transceiver.passes(transmission)) return;
      this.#port?.transmit(transmission);
    } else if ((control & PCTRL.LOOPBACK) !== 0 && this.#link.up) {
      this.#looped = transmission;
      this.#loopTimer.armAt(transmission.endNs);
    }
  }

  abort(transmission: Transmission): void {
    this.#loopTimer.cancel();
    this.#looped = null;
    if (!this.#transceiver.aborted(transmission)) return;
    this.#port?.abort(transmission);
  }

  // From the medium.

  /** Throws a RangeError when there is a plug in the socket already. */
  plugged(port: MediumPort | null): void {
    if (port !== null && this.#port !== null) throw new RangeError('there is a plug in this socket already');
    this.#port = port;
    if (port === null) {
      this.#machine.heard(null);
      this.listener?.carrierOff(null);
    } else {
      port.signal(this.#signal);
    }
  }

  /** In half duplex the MAC listens; it is spoken to without a detour through here. */
  get carrier(): CarrierListener | null {
    const { listener } = this;
    return listener?.halfDuplex === true && this.#link.up && this.#connected ? listener : null;
  }

  arrived(frame: Frame, transmission: Transmission, startNs: number): void {
    if (!this.#link.up || transmission.bitNs !== this.#bitNs) return;
    const { values } = this.#registers;
    if (!this.#connected) return;
    if (frame.errors.rxError && values[PREC.n]! < 0xffff) values[PREC.n]! += 1;
    this.listener?.received(frame, startNs, transmission.bitNs);
  }

  linkSignal(signal: LinkSignal | null): void {
    this.#machine.heard(signal);
  }

  save(): PhyState {
    return {
      registers: this.#registers.save(),
      link: this.#link,
      machine: this.#machine.save(),
      signal: this.#signal,
      held: this.#held,
      prng: this.prng.save(),
      looped: this.#looped === null ? null : saveTransmission(this.#looped),
      loopTimer: this.#loopTimer.save(),
      transceiver: this.#transceiver.save(),
      crossover: this.crossover.save(),
    };
  }

  /** Restores the PHY without a word to MAC or medium, which are restored by themselves. */
  load(state: PhyState): void {
    this.#registers.load(state.registers);
    this.#link = state.link;
    this.#bitNs = BIT_NS[state.link.speed];
    this.#machine.load(state.machine);
    this.#signal = state.signal;
    this.#held = state.held;
    this.prng.load(state.prng);
    this.#looped = state.looped === null ? null : loadTransmission(state.looped);
    this.#loopTimer.load(state.loopTimer);
    this.#transceiver.load(state.transceiver);
    this.crossover.load(state.crossover);
    const { values } = this.#registers;
    this.#interrupt = (values[PINTS.n]! & values[PINTE.n]!) !== 0;
  }

  /** Whether MAC and medium have to do with each other. */
  get #connected(): boolean {
    return (this.#registers.values[PCTRL.n]! & (PCTRL.LOOPBACK | PCTRL.ISOLATE)) === 0;
  }

  /** A write to PCTRL whose previous contents were `before`. */
  #control(before: number): void {
    const { values } = this.#registers;
    const control = values[PCTRL.n]!;
    if ((control & PCTRL.RESET) !== 0) {
      this.#linkDown();
      this.#registers.reset('software');
      values[PCTRL.n] = control & ~(PCTRL.RESET | PCTRL.ANRESTART | PCTRL.LOOPBACK | PCTRL.ISOLATE | PCTRL.PDOWN);
      this.#start();
      return;
    }
    values[PCTRL.n] = control & ~PCTRL.ANRESTART;
    const switched = (control ^ before) & (PCTRL.LOOPBACK | PCTRL.PDOWN);
    if (switched !== 0 || (control & PCTRL.ANRESTART) !== 0) this.#start();
  }

  /** Begins anew from what PCTRL now says. */
  #start(): void {
    const control = this.#registers.values[PCTRL.n]!;
    this.#linkDown();
    this.crossover.configure(getField(this.#registers.values[PSCON.n]!, PSCON.MDI_X));
    this.#updateInterrupt();
    if (this.#held || (control & PCTRL.PDOWN) !== 0) {
      this.#machine.stop();
    } else if ((control & PCTRL.LOOPBACK) !== 0) {
      this.#machine.stop();
      this.#linkUp(forcedMode(control), false);
    } else {
      this.#machine.start((control & PCTRL.ANE) !== 0 ? null : forcedMode(control));
    }
  }

  #send(signal: LinkSignal | null): void {
    this.#signal = signal;
    this.#port?.signal(signal);
  }

  #pages(): Pages {
    const { values } = this.#registers;
    return pagesOf(values[ANA.n]!, values[GCON.n]!, this.prng.word());
  }

  #resolved(resolution: Resolution): void {
    this.#raise(recordResolution(this.#registers.values, resolution));
  }

  #linkUp({ speed, fullDuplex }: LinkMode, negotiated: boolean): void {
    const { values } = this.#registers;
    const before = values[PSSTAT.n]!;
    const mode = setField(fullDuplex ? PSSTAT.FD : 0, PSSTAT.SPEED, CODE_OF_SPEED[speed]);
    values[PSSTAT.n] = (before & ~(PSSTAT.SPEED | PSSTAT.FD)) | mode | PSSTAT.RESOLVED | PSSTAT.LINK;
    if (speed === 1000) values[GSTAT.n]! |= GSTAT.LOCAL_RX_OK | GSTAT.REMOTE_RX_OK;
    let causes = PINTS.LINK;
    if (((before ^ mode) & PSSTAT.SPEED) !== 0) causes |= PINTS.SPEED;
    if (((before ^ mode) & PSSTAT.FD) !== 0) causes |= PINTS.DUPLEX;
    if (negotiated) {
      values[PSTATUS.n]! |= PSTATUS.AN_DONE;
      causes |= PINTS.AN_DONE;
    }
    this.#bitNs = BIT_NS[speed];
    this.#setLink({ up: true, speed, fullDuplex }, causes);
  }

  /** Clears what a negotiation has found, latched bits apart, and drops the link if there is one. */
  #linkDown(): void {
    const { values } = this.#registers;
    values[PSTATUS.n]! &= ~(PSTATUS.LINK | PSTATUS.AN_DONE);
    values[LPA.n] = 0;
    values[ANE.n]! &= ANE.PAGE_RX | ANE.PD_FAULT;
    values[GSTAT.n]! &= GSTAT.MS_FAULT;
    values[PSSTAT.n]! &= PSSTAT.SPEED | PSSTAT.FD | PSSTAT.MDI_X;
    if (this.#link.up) this.#setLink(LINK_DOWN, PINTS.LINK);
  }

  #setLink(link: PhyLink, causes: number): void {
    this.#link = link;
    this.#raise(causes);
    this.onLink?.(link);
    this.listener?.linkChanged();
  }

  #raise(causes: number): void {
    this.#registers.values[PINTS.n]! |= causes;
    this.#updateInterrupt();
  }

  #updateInterrupt(): void {
    const { values } = this.#registers;
    const level = (values[PINTS.n]! & values[PINTE.n]!) !== 0;
    if (level === this.#interrupt) return;
    this.#interrupt = level;
    this.onInterrupt?.(level);
  }

  #configureTransceiver(): void {
    const control = this.#registers.values[PSCON.n]!;
    this.#transceiver.jabberProtection = (control & PSCON.JABBER_DISABLE) === 0;
    this.#transceiver.sqeTest = (control & PSCON.SQE_TEST) !== 0;
  }

  #crossed(crossed: boolean): void {
    const { values } = this.#registers;
    if (crossed) values[PSSTAT.n]! |= PSSTAT.MDI_X;
    else values[PSSTAT.n]! &= ~PSSTAT.MDI_X;
  }

  #jabber(on: boolean): void {
    const { values } = this.#registers;
    if (on) {
      values[PSTATUS.n]! |= PSTATUS.JABBER;
      values[PSSTAT.n]! |= PSSTAT.JABBER;
    } else {
      values[PSSTAT.n]! &= ~PSSTAT.JABBER;
    }
  }

  #loopBack(): void {
    const { frame, startNs, bitNs } = this.#looped!;
    this.#looped = null;
    this.listener?.received(frame, startNs, bitNs);
  }
}

/** The mode that PCTRL asks for when nothing is negotiated. */
function forcedMode(control: number): LinkMode {
  const code = 2 * getField(control, PCTRL.SPEED_MSB) + getField(control, PCTRL.SPEED_LSB);
  return { speed: SPEED_OF_CODE[code]!, fullDuplex: (control & PCTRL.FD) !== 0 };
}
