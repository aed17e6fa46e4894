/**
 * `ringtail tour`: runs the scenario `two-hosts` with everything observed, tells the journey of its first packet, and
 * leaves a capture and a waveform behind.
 */
import { join } from 'node:path';
import type { TwoHostsResult } from '../scenarios/two-hosts.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { openRecordings } from './recordings.ts';
import { itineraryOf, journey } from './tour/journey.ts';
import { Recording } from './tour/recording.ts';
import { tell } from './tour/tell.ts';

const SCENARIO = 'two-hosts';

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
  world.run(scenario.untilNs);
  recording.close();
  const files = recordings.close();
  const steps = journey(recording, itineraryOf(world));
  const result = run.result() as TwoHostsResult;
  const write = (text: string) => process.stdout.write(`${text}\n`);
  if (options.json === true) write(JSON.stringify({ seed: options.seed, steps, result, files }, null, 2));
  else if (options.quiet === true) for (const file of files) write(file);
  else tell(write, steps, result, files);
}
