/** One step of the tour: where and when it happened, what a reader should know, and the values of this very run. */
export interface Step {
  /** The chapter that it belongs to. */
  readonly chapter: string;
  readonly title: string;
  /** Virtual time in nanoseconds. */
  readonly timeNs: number;
  /** The computer, or the wire. */
  readonly where: string;
  /** One or two sentences for a reader who never saw a NIC. */
  readonly text: string;
  /** What was seen, by name, ready to print. */
  readonly values: Readonly<Record<string, string>>;
}
