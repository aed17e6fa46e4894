/**
 * `ringtail tour`: runs the scenario `web-journey` with everything observed, tells the journey of its page, and leaves
 * a capture and a waveform behind.
 */
import { join } from 'node:path';
import { CLOSED_NS, type WebJourneyResult } from '../scenarios/web-journey.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { openRecordings } from './recordings.ts';
import { journey } from './tour/journey.ts';
import { Recording } from './tour/recording.ts';
import { tell } from './tour/tell.ts';

const SCENARIO = 'web-journey';

export interface TourOptions {
  readonly seed: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly out: string;
}

/** Runs the tour, and prints it. */
export async function tourCommand(options: TourOptions): Promise<void> {
  const scenario = await loadScenario(SCENARIO);
  const { world, run } = buildWorld(SCENARIO, scenario, options.seed);
  const recordings = openRecordings(world, {
    pcap: join(options.out, 'tour.pcapng'),
    vcd: join(options.out, 'tour.vcd'),
  });
  const recording = new Recording(world);
  // The files end with the connection. What is left of it stays for minutes in which nothing moves.
  world.run(CLOSED_NS);
  const files = recordings.close();
  world.run(scenario.untilNs);
  recording.close();
  const steps = journey(recording);
  const result = run.result() as WebJourneyResult;
  const write = (text: string) => process.stdout.write(`${text}\n`);
  if (options.json === true) write(JSON.stringify({ seed: options.seed, steps, result, files }, null, 2));
  else if (options.quiet === true) for (const file of files) write(file);
  else tell(write, steps, result, files);
}
