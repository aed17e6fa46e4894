/** How a switch passes a frame on: nothing of it changes. */
import type { Frame } from '../../../../hw/ethernet/frame.ts';
import { formatMac, hexBytes } from '../../../lib/bytes.ts';
import { SWITCH, THERE } from '../places.ts';
import { inSwitch, segmentOn } from '../tests.ts';
import type { Walk } from '../walk.ts';

const FCS_OCTETS = 4;

export function acrossTheSwitch(walk: Walk): void {
  walk.chapter('Across the switch');
  const decision = walk.next('decision of the switch', inSwitch('decision'));
  const out = walk.ahead('frame behind the switch', segmentOn(THERE.toHome));
  const { octets } = decision.frame;
  const fcsOf = (frame: Frame) => hexBytes(frame.wire().subarray(-FCS_OCTETS));
  walk.tell(
    'The switch looks the address up',
    SWITCH,
    decision.timeNs,
    'A port of a switch has no address of its own: it takes every frame, stores it to its last bit, and works out its check sequence. The MAC table tells by which port to send it, to the bit as it came, and the other hosts see nothing of it.',
    {
      'came in': `by port ${decision.port}, from ${formatMac(octets, 6)}`,
      'looked up': `${formatMac(octets)}: ${decision.verdict}, to port ${decision.to.join()}`,
      'FCS of what came in': `${fcsOf(decision.frame)}, of ${decision.frame.wireBytes} octets`,
      'FCS of what goes out': `${fcsOf(out.sent)}, of ${out.sent.wireBytes} octets`,
      'first bit out': `at ${out.timeNs} ns, ${out.timeNs - decision.timeNs} ns after the lookup`,
    },
  );
}
