/**
 * MLT-3, the line signal of 100BASE-TX (TP-PMD): a 1 is a step to the next of the levels 0, +, 0, -, over and over; a 0
 * stays. The signal never goes from + to - in one step, and at 125 MBd its fundamental is 31.25 MHz at most.
 *
 * For the decoder any change is a 1, so one wrong level changes the bits at its two edges and no others.
 */
const CYCLE = [0, 1, 0, -1] as const;

/** The levels for `bits`, from a line that stands at 0 and goes up first. */
export function encodeMlt3(bits: Uint8Array): Int8Array {
  const levels = new Int8Array(bits.length);
  let phase = 0;
  for (let i = 0; i < bits.length; i++) {
    phase = (phase + bits[i]!) & 3;
    levels[i] = CYCLE[phase]!;
  }
  return levels;
}

/** The bits of `levels`, which follow a line that stood at 0. Levels of any size are taken by sign. */
export function decodeMlt3(levels: Int8Array): Uint8Array {
  const bits = new Uint8Array(levels.length);
  let before = 0;
  for (let i = 0; i < levels.length; i++) {
    const level = Math.sign(levels[i]!);
    bits[i] = level === before ? 0 : 1;
    before = level;
  }
  return bits;
}
