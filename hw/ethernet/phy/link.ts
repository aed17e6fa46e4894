/**
 * The link state machine: arbitration of clause 28.3 with one timer, for the host PHY that owns it. States carry the
 * standard's names. Nothing is timed per pulse: a FLP burst every 16 ms is the signal `flp`, and the time that pages
 * take to be exchanged is arithmetic.
 *
 *   off                  power-down, reset pin, loopback: silence
 *   transmit-disable     break_link: silence long enough for the partner to lose the link too
 *   ability-detect       we send pages; waits for the partner's pages, or for an idle signal that speaks for itself
 *   page-exchange        both ends send pages
 *   no-common-mode       nothing in common: pages go on, until the partner's signal changes
 *   link-check           the mode is known (resolved or forced), we send its idle signal and wait for the partner's
 *   link-good            up; when the partner's signal goes, the loss timer runs
 *
 * The timer rests in link-good, in no-common-mode, and wherever a signal is awaited that nobody sends.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { LinkSignal, SpeedMbps } from '../ports.ts';
import { detectedPage, type LinkMode, type Pages, resolve, resolveMaster } from './negotiation.ts';

const MS = 1_000_000;
/** break_link_timer, 1200 to 1500 ms. */
export const BREAK_LINK_NS = 1200 * MS;
/** From one FLP burst to the next, 16 ± 8 ms. */
const BURST_PERIOD_NS = 16 * MS;
/** Bursts for three equal pages, three acknowledged ones, and the six that complete the acknowledge. */
const EXCHANGE_BURSTS = 3 + 3 + 6;
/** From both ends sending pages to a result. The next pages of 1000BASE-T are not timed apart. */
export const PAGE_EXCHANGE_NS = EXCHANGE_BURSTS * BURST_PERIOD_NS;
/** autoneg_wait_timer, 500 to 1000 ms: how long an idle signal must stand without pages. */
export const AUTONEG_WAIT_NS = 500 * MS;
/** From the partner's idle signal to the link: two link pulses. */
export const LINK_PASS_NS = 2 * BURST_PERIOD_NS;
/** link_fail_inhibit_timer, 750 to 1000 ms: how long a resolved link may take to come up. */
const LINK_FAIL_INHIBIT_NS = 750 * MS;
/** link_loss_timer, 50 to 150 ms: how long a link outlives the partner's signal. */
export const LINK_LOSS_NS = 50 * MS;

type LinkPhase =
  | 'off'
  | 'transmit-disable'
  | 'ability-detect'
  | 'page-exchange'
  | 'no-common-mode'
  | 'link-check'
  | 'link-good';

/** What a negotiation has found out. `mode` is null when there is nothing in common. */
export interface Resolution {
  readonly mode: LinkMode | null;
  readonly own: Pages;
  /** The partner's base page, or the one bit that parallel detection stands for. */
  readonly partnerPage: number;
  readonly partnerGigabit: number;
  /** The partner sent no pages. */
  readonly parallel: boolean;
  readonly master: boolean;
  readonly masterFault: boolean;
}

/** The PHY around a link. */
interface LinkHost {
  /** Changes what goes out on the wire while no frame does. */
  send(signal: LinkSignal | null): void;
  /** The pages for a negotiation that begins now. */
  pages(): Pages;
  resolved(resolution: Resolution): void;
  /** `negotiated` is false for a forced mode. */
  linkUp(mode: LinkMode, negotiated: boolean): void;
  linkDown(): void;
}

export interface LinkState {
  readonly phase: LinkPhase;
  readonly forced: LinkMode | null;
  readonly mode: LinkMode | null;
  readonly own: Pages | null;
  readonly partner: LinkSignal | null;
  readonly pages: Pages | null;
  readonly timer: TimerState;
}

export class Link {
  readonly #host: LinkHost;
  readonly #timer: Timer;
  #phase: LinkPhase = 'off';
  /** The mode that software forces; null to negotiate. */
  #forced: LinkMode | null = null;
  /** The mode of link-check and link-good. */
  #mode: LinkMode | null = null;
  #own: Pages | null = null;
  #partner: LinkSignal | null = null;
  /** The latest pages of the page exchange: the partner may finish a moment before us. */
  #pages: Pages | null = null;

  constructor(clock: Clock, host: LinkHost) {
    this.#host = host;
    this.#timer = clock.timer(() => this.#expired());
  }

  /** Begins anew: with negotiation, or in the mode that is forced. The host knows that the link is down. */
  start(forced: LinkMode | null): void {
    this.#forced = forced;
    if (forced === null) this.#disableTransmit();
    else this.#check(forced);
  }

  /** Falls silent. */
  stop(): void {
    this.#phase = 'off';
    this.#timer.cancel();
    this.#host.send(null);
  }

  /** The partner's signal as it now is. Never answers from inside the call. */
  heard(signal: LinkSignal | null): void {
    if (signal === this.#partner) return;
    this.#partner = signal;
    switch (this.#phase) {
      case 'ability-detect':
        this.#detect();
        break;
      case 'page-exchange':
        if (signal === null) this.#enterDetect();
        else if (signal.kind === 'flp') this.#exchange(signal);
        break;
      case 'no-common-mode':
        this.#enterDetect();
        break;
      case 'link-check':
        this.#awaitPartner();
        break;
      case 'link-good':
        if (this.#hearsMode()) this.#timer.cancel();
        else if (!this.#timer.armed) this.#timer.armIn(LINK_LOSS_NS);
        break;
    }
  }

  save(): LinkState {
    return {
      phase: this.#phase,
      forced: this.#forced,
      mode: this.#mode,
      own: this.#own,
      partner: this.#partner,
      pages: this.#pages,
      timer: this.#timer.save(),
    };
  }

  load(state: LinkState): void {
    this.#phase = state.phase;
    this.#forced = state.forced;
    this.#mode = state.mode;
    this.#own = state.own;
    this.#partner = state.partner;
    this.#pages = state.pages;
    this.#timer.load(state.timer);
  }

  #expired(): void {
    switch (this.#phase) {
      case 'transmit-disable':
        this.#own = this.#host.pages();
        this.#host.send(this.#own);
        this.#enterDetect();
        break;
      case 'ability-detect':
        this.#parallelDetected();
        break;
      case 'page-exchange':
        this.#pagesExchanged();
        break;
      case 'link-check':
        if (this.#hearsMode()) this.#good();
        else this.#disableTransmit();
        break;
      case 'link-good':
        this.#lost();
        break;
    }
  }

  #disableTransmit(): void {
    this.#phase = 'transmit-disable';
    this.#timer.armIn(BREAK_LINK_NS);
    this.#host.send(null);
  }

  #enterDetect(): void {
    this.#phase = 'ability-detect';
    this.#detect();
  }

  #detect(): void {
    const partner = this.#partner;
    if (partner?.kind === 'flp') this.#exchange(partner);
    else if (partner !== null && detectedPage(partner.speed) !== 0) this.#timer.armIn(AUTONEG_WAIT_NS);
    else this.#timer.cancel();
  }

  #exchange(pages: Pages): void {
    this.#phase = 'page-exchange';
    this.#pages = pages;
    this.#timer.armIn(PAGE_EXCHANGE_NS);
  }

  #pagesExchanged(): void {
    const own = this.#own!;
    const { page, gigabit } = this.#pages!;
    const mode = resolve(own, page, gigabit);
    const role = mode?.speed === 1000 ? resolveMaster(own.gigabit, gigabit) : 'slave';
    if (role === 'tie') {
      this.#disableTransmit();
      return;
    }
    this.#conclude({
      mode: role === 'fault' ? null : mode,
      own,
      partnerPage: page,
      partnerGigabit: gigabit,
      parallel: false,
      master: role === 'master',
      masterFault: role === 'fault',
    });
  }

  #parallelDetected(): void {
    const own = this.#own!;
    const partnerPage = detectedPage((this.#partner as { speed: SpeedMbps }).speed);
    this.#conclude({
      mode: resolve(own, partnerPage, 0),
      own,
      partnerPage,
      partnerGigabit: 0,
      parallel: true,
      master: false,
      masterFault: false,
    });
  }

  #conclude(resolution: Resolution): void {
    this.#phase = 'no-common-mode';
    this.#host.resolved(resolution);
    if (resolution.mode !== null) this.#check(resolution.mode);
  }

  #check(mode: LinkMode): void {
    this.#phase = 'link-check';
    this.#mode = mode;
    this.#awaitPartner();
    this.#host.send({ kind: 'idle', speed: mode.speed });
  }

  #awaitPartner(): void {
    if (this.#hearsMode()) this.#timer.armIn(LINK_PASS_NS);
    else if (this.#forced === null) this.#timer.armIn(LINK_FAIL_INHIBIT_NS);
    else this.#timer.cancel();
  }

  #good(): void {
    this.#phase = 'link-good';
    this.#host.linkUp(this.#mode!, this.#forced === null);
  }

  #lost(): void {
    const forced = this.#forced;
    this.#phase = 'off';
    this.#host.linkDown();
    this.start(forced);
  }

  /** Whether the partner's signal makes a link of our mode. To a 10BASE-T receiver FLP bursts are link pulses. */
  #hearsMode(): boolean {
    const partner = this.#partner;
    const { speed } = this.#mode!;
    if (partner === null) return false;
    return partner.kind === 'idle' ? partner.speed === speed : speed === 10;
  }
}
