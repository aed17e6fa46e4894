/** The walk through a recording: each step looks for its moment after the one before, and is told with its values. */
import type { Moment, Recording } from './recording.ts';
import type { Step } from './step.ts';

/** Walks through a recording. `at` is the index of the moment that the last step found. */
export class Walk {
  readonly steps: Step[] = [];
  at = 0;
  readonly #recording: Recording;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Goes on to the next moment that `test` accepts. Throws when the run has none: then it is not the run of the tour. */
  next<M extends Moment>(what: string, test: (moment: Moment) => moment is M): M {
    const { index, moment } = this.#recording.find(this.at, what, test);
    this.at = index + 1;
    return moment;
  }

  /** The next moment that `test` accepts, without going there. */
  ahead<M extends Moment>(what: string, test: (moment: Moment) => moment is M): M {
    return this.#recording.find(this.at, what, test).moment;
  }

  tell(title: string, where: string, timeNs: number, text: string, values: Record<string, string>): void {
    this.steps.push({ title, where, timeNs, text, values });
  }
}
