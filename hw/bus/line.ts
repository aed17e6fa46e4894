/**
 * A level-sensitive interrupt line that several sources may share: wired-OR, so the line is high while at least one
 * source drives it. Levels are levels: a source recomputes its own level after each change of cause or mask, and the
 * line tells its listener only when the OR changes.
 */
export class Line {
  readonly name: string;
  /** Called with the new level on each change of the line: the one input pin at the far end. */
  onChange: ((level: boolean) => void) | null = null;
  /** Observation: called after `onChange`. Null unless somebody watches. */
  tap: ((level: boolean) => void) | null = null;
  #driverCount = 0;

  constructor(name: string) {
    this.name = name;
  }

  get level(): boolean {
    return this.#driverCount > 0;
  }

  /** A new source, low at first. */
  source(): LineSource {
    return new LineSource(this);
  }

  /** For {@link LineSource} alone. */
  drive(high: boolean): void {
    this.#driverCount += high ? 1 : -1;
    if (this.#driverCount !== (high ? 1 : 0)) return;
    this.onChange?.(high);
    this.tap?.(high);
  }
}

/** One driver of a {@link Line}. */
export class LineSource {
  readonly #line: Line;
  #level = false;

  constructor(line: Line) {
    this.#line = line;
  }

  get level(): boolean {
    return this.#level;
  }

  set(level: boolean): void {
    if (level === this.#level) return;
    this.#level = level;
    this.#line.drive(level);
  }
}
