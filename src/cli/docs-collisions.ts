/** The runs behind the pictures in `docs/collisions.md`: stations on a coaxial cable, each with one frame to send. */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Mac } from '../../hw/ethernet/mac/mac.ts';
import { Coax, THICK_COAX_NS_PER_METRE } from '../../hw/ethernet/medium/coax.ts';
import { AttachmentUnit } from '../../hw/ethernet/phy/attachment-unit.ts';
import { BIT_NS, type Transmission } from '../../hw/ethernet/ports.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { type Place, type SpaceTimePicture, spaceTimeSvg } from '../observe/space-time-svg.ts';

const BITS_NS = BIT_NS[10];

interface Talk {
  readonly name: string;
  readonly metres: number;
  /** Null: it only listens. */
  readonly sends: { readonly atBits: number; readonly bytes: number } | null;
}

interface Story extends Pick<SpaceTimePicture, 'title'> {
  readonly path: string;
  readonly seed: string;
  readonly talks: readonly Talk[];
  readonly untilBits: number;
  /** By the numbers of the station and of its attempt, and what of that attempt the words are about. */
  readonly notes: readonly { place: number; attempt: number; at: 'startNs' | 'jamNs' | 'endNs'; text: string }[];
}

const STORIES: readonly Story[] = [
  {
    path: 'pictures/collision.svg',
    title: 'A collision, and how it is resolved',
    seed: '3',
    untilBits: 1500,
    talks: [
      { name: 'alice', metres: 0, sends: { atBits: 0, bytes: 64 } },
      { name: 'carol', metres: 1100, sends: null },
      { name: 'bob', metres: 2500, sends: { atBits: 70, bytes: 64 } },
    ],
    notes: [
      { place: 0, attempt: 0, at: 'startNs', text: 'alice hears nothing, sends' },
      { place: 2, attempt: 0, at: 'startNs', text: 'so does bob' },
      { place: 2, attempt: 0, at: 'jamNs', text: 'bob has heard alice: jam' },
      { place: 0, attempt: 0, at: 'jamNs', text: 'alice has heard bob: jam' },
      { place: 0, attempt: 1, at: 'startNs', text: 'alice drew 0 slots: tries again' },
      { place: 0, attempt: 1, at: 'endNs', text: 'her frame is out' },
      { place: 2, attempt: 1, at: 'startNs', text: 'bob drew 1 slot, then let her finish' },
    ],
  },
  {
    path: 'pictures/late-collision.svg',
    title: 'A cable that is too long: a late collision',
    seed: '1',
    untilBits: 1500,
    talks: [
      { name: 'alice', metres: 0, sends: { atBits: 0, bytes: 120 } },
      { name: 'bob', metres: 9000, sends: { atBits: 350, bytes: 64 } },
    ],
    notes: [
      { place: 0, attempt: 0, at: 'startNs', text: 'alice sends' },
      { place: 1, attempt: 0, at: 'startNs', text: 'bob still hears nothing' },
      { place: 1, attempt: 0, at: 'jamNs', text: 'bob has heard alice: jam' },
      { place: 0, attempt: 0, at: 'jamNs', text: 'alice, after 740 bits: too late' },
    ],
  },
];

/** The pictures, as files below `docs`. */
export function collisionPictures(): readonly { readonly path: string; readonly text: string }[] {
  return STORIES.map(story => ({ path: story.path, text: spaceTimeSvg(pictureOf(story)) }));
}

function pictureOf({ title, seed, talks, untilBits, notes }: Story): SpaceTimePicture {
  const places = play(talks, seed, untilBits);
  return {
    title,
    places,
    bitNs: BITS_NS,
    untilNs: untilBits * BITS_NS,
    notes: notes.map(({ place, attempt, at, text }) => ({ place, atNs: places[place]!.signals[attempt]![at], text })),
  };
}

function play(talks: readonly Talk[], seed: string, untilBits: number): readonly Place[] {
  const clock = new Clock();
  const prng = new Prng(seed);
  const coax = new Coax(clock, Math.max(...talks.map(({ metres }) => metres)));
  const places = talks.map(({ name, metres, sends }) => {
    const signals: Transmission[] = [];
    const unit = new AttachmentUnit(clock, prng.fork(name));
    const mac = new Mac(clock, unit, { transmitted: () => {}, received: () => {}, linkChanged: () => {} });
    unit.onTransmit = transmission => signals.push(transmission);
    coax.attach(metres, unit);
    if (sends !== null) {
      const frame = Frame.withFcs(new Uint8Array(sends.bytes - 4));
      clock.timer(() => mac.transmit(frame)).armAt(sends.atBits * BITS_NS);
    }
    return { name, positionNs: Math.round(metres * THICK_COAX_NS_PER_METRE), signals };
  });
  clock.run(2 * untilBits * BITS_NS);
  return places;
}
