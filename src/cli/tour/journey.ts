/**
 * Finds the journey of a web page in a recording of the scenario `web-journey`: from the program that asks, by way of
 * every register that its first packet meets, of switch, routers and server, to the deletion of the socket. Each step
 * looks for its moment after the one before, so the order is that of the run, and the values are what the probes saw.
 */
import { theServerAnswers } from './chapters/accepting.ts';
import { intoTheRouter } from './chapters/arriving.ts';
import { theEnd } from './chapters/closing.ts';
import { aliceConnects } from './chapters/connect.ts';
import { acrossTheInternet, throughTheNatRouter } from './chapters/forwarding.ts';
import { aNameBecomesAnAddress } from './chapters/name.ts';
import { theAnswer, theRequest } from './chapters/page.ts';
import { outOfTheNic } from './chapters/sending.ts';
import { acrossTheSwitch } from './chapters/switch.ts';
import type { Recording } from './recording.ts';
import type { Step } from './step.ts';
import { Walk } from './walk.ts';

const CHAPTERS: readonly ((walk: Walk) => void)[] = [
  aNameBecomesAnAddress,
  aliceConnects,
  outOfTheNic,
  acrossTheSwitch,
  intoTheRouter,
  throughTheNatRouter,
  acrossTheInternet,
  theServerAnswers,
  theRequest,
  theAnswer,
  theEnd,
];

/** The steps, in the order of time. Throws when the run is another one. */
export function journey(recording: Recording): readonly Step[] {
  const walk = new Walk(recording);
  for (const tell of CHAPTERS) tell(walk);
  return walk.steps;
}
