/**
 * One computer at the end of a wire that leads out of the world: from 192.0.2.2 it fetches http://192.0.2.1/big, once,
 * as soon as a real peer serves that. The result says what came, with its CRC-32, which is that of `crc32` and zlib.
 */

import { fcs } from '../../hw/ethernet/fcs.ts';
import { type FetchReport, httpClient } from '../../kernel/apps/http-client.ts';
import { scenario } from '../world/scenario.ts';

const URL = 'http://192.0.2.1/big';
const LINK_UP_NS = 2_000_000_000;
/** Until the peer is there. */
const RETRY_NS = 200_000_000;

export default scenario({
  summary: 'one host on the open wire `uplink`, at 192.0.2.2, that fetches http://192.0.2.1/big (ringtail live)',
  untilNs: 5_000_000_000,
  build(world) {
    const host = world.computer('host', { nics: [{ address: '192.0.2.2/24' }] });
    world.openWire('uplink', host.nics[0]!);
    let report: FetchReport | null = null;
    host.start('client', function* (sys) {
      for (let waitNs = LINK_UP_NS; report?.kind !== 'answer'; waitNs = RETRY_NS) {
        yield* sys.sleep(waitNs);
        yield* httpClient([URL], {}, fetched => {
          report = fetched;
        })(sys);
      }
    });
    return { result: () => resultOf(report) };
  },
});

function resultOf(report: FetchReport | null) {
  if (report === null) return { url: URL, error: 'the run was too short' };
  if (report.kind === 'error') return { url: URL, error: report.error.message };
  const { status, bodyBytes, body } = report.result;
  return { url: URL, status, bodyBytes, crc32: (fcs(body, 0, body.length) >>> 0).toString(16).padStart(8, '0') };
}
