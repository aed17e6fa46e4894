/**
 * Sessions that live equally long after they were last used, least recently used first. The timeout is the same for
 * all, so this order is the order in which they are due: to use one, to end one, and to find the next that is due cost
 * the same however many there are.
 */
import type { Session } from './mapping.ts';

export class AgeList {
  readonly timeoutNs: number;
  #first: Session | null = null;
  #last: Session | null = null;

  constructor(timeoutNs: number) {
    this.timeoutNs = timeoutNs;
  }

  /** The session that is due next. */
  get first(): Session | null {
    return this.#first;
  }

  /** When the first session is due; Infinity without one. */
  get dueNs(): number {
    return this.#first === null ? Number.POSITIVE_INFINITY : this.#first.touchedNs + this.timeoutNs;
  }

  /** `session` is used now: its time begins anew. It leaves the list in which it was. */
  touch(session: Session, nowNs: number): void {
    session.touchedNs = nowNs;
    if (session === this.#last) return;
    session.ageList?.remove(session);
    session.ageList = this;
    session.agePrevious = this.#last;
    if (this.#last === null) this.#first = session;
    else this.#last.ageNext = session;
    this.#last = session;
  }

  /** `session` is in the list. */
  remove(session: Session): void {
    const { agePrevious: before, ageNext: after } = session;
    if (before === null) this.#first = after;
    else before.ageNext = after;
    if (after === null) this.#last = before;
    else after.agePrevious = before;
    session.ageList = session.ageNext = session.agePrevious = null;
  }
}
