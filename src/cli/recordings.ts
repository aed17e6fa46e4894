/** The files that `--pcap` and `--vcd` ask for, written while a world runs. */
import { recordFrames, recordSignals } from '../world/recorders.ts';
import type { World } from '../world/world.ts';
import { FileSink } from './file-sink.ts';

export interface RecordingOptions {
  readonly pcap?: string;
  readonly vcd?: string;
}

export interface Recordings {
  /** Finishes the files; returns their paths. Throws a UsageError when one of them could not be written. */
  close(): string[];
}

/** Starts to record `world` into the files that the options name. */
export function openRecordings(world: World, options: RecordingOptions): Recordings {
  const open: { close(): void; path?: string }[] = [];
  if (options.pcap !== undefined) {
    const sink = new FileSink(options.pcap);
    open.push(recordFrames(world, sink.bytes), sink);
  }
  if (options.vcd !== undefined) {
    const sink = new FileSink(options.vcd);
    open.push(recordSignals(world, sink.text), sink);
  }
  return {
    close: () => {
      for (const each of open) each.close();
      return open.flatMap(({ path }) => path ?? []);
    },
  };
}
