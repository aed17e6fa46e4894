/** The walk through a recording: each step looks for its moment after the one before, and is told with its values. */
import type { Moment, Recording } from './recording.ts';
import type { Step } from './step.ts';

/** Walks through a recording. `at` is the index of the moment that the last step found. */
export class Walk {
  readonly steps: Step[] = [];
  at = 0;
  #chapter = '';
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

  /** The first moment of the whole run that `test` accepts. */
  first<M extends Moment>(what: string, test: (moment: Moment) => moment is M): M {
    return this.#recording.find(0, what, test).moment;
  }

  /** What `test` accepts before the moment `end`, since the beginning of the run. */
  before<M extends Moment>(end: Moment, test: (moment: Moment) => moment is M): M[] {
    const isEnd = (moment: Moment): moment is Moment => moment === end;
    return this.#recording.between(0, this.#recording.find(0, 'such a moment', isEnd).index, test);
  }

  /** What `test` accepts among the moments from the present one up to the next one that `until` accepts. */
  meanwhile<M extends Moment>(test: (moment: Moment) => moment is M, until: (moment: Moment) => moment is Moment): M[] {
    return this.#recording.between(this.at, this.#recording.find(this.at, 'end of a stretch', until).index, test);
  }

  /** The steps that follow belong to the chapter `title`. */
  chapter(title: string): void {
    this.#chapter = title;
  }

  tell(title: string, where: string, timeNs: number, text: string, values: Record<string, string>): void {
    this.steps.push({ chapter: this.#chapter, title, where, timeNs, text, values });
  }
}
