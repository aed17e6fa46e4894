/** Captures and probes of a world with a switch. */
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import type { SwitchEvent } from '../../../../src/observe/switch-probe.ts';
import { switchEvents } from '../../../../src/observe/switch-probe.ts';
import { recordFrames } from '../../../../src/world/recorders.ts';
import { World } from '../../../../src/world/world.ts';
import { readPackets } from '../../../support/pcapng-reader.ts';
import { BROADCAST, frameTo, station } from '../../../support/switch-rig.ts';

const LINK_UP_NS = 2_000_000_000;
const [A, B] = [station(1), station(2)] as const;

/** A switch with two open wires. */
function build() {
  const world = new World('1');
  const { ports, device } = world.switch('sw', { ports: [{ vlans: { access: 5 } }, { vlans: { access: 5 } }] });
  const wires = ports.map((port, i) => world.openWire(`w${i}`, port));
  return { world, device, wires };
}

describe('a capture', () => {
  test('has a frame on the wire where it came in, and on the one where it left, and says who dropped one', () => {
    const { world, wires } = build();
    const chunks: Uint8Array[] = [];
    const recorder = recordFrames(world, chunk => chunks.push(chunk.slice()));
    world.run(LINK_UP_NS);
    const frames = [frameTo(BROADCAST, A), frameTo(BROADCAST, A, { tag: 6 })];
    for (const { octets } of frames) wires[0]!.station.send(octets);
    world.run(LINK_UP_NS + 1_000_000);
    recorder.close();
    const seen = readPackets(chunks).map(({ interfaceId, direction, comments }) => [interfaceId, direction, comments]);
    expect(seen).toEqual([
      [0, 'inbound', []],
      [0, 'inbound', ['dropped by sw.port0: wrong VLAN']],
      [1, 'outbound', []],
    ]);
  });
});

describe('switchEvents', () => {
  test('tell what the switch learned, where a frame went and what was dropped, and cost nothing when nobody listens', () => {
    const { world, device, wires } = build();
    const told: SwitchEvent[] = [];
    const subscription = switchEvents(device, 'sw', world.clock).subscribe(event => told.push(event));
    world.run(LINK_UP_NS);
    wires[0]!.station.send(frameTo(B, A).octets);
    wires[1]!.station.send(frameTo(A, B, { bytes: 1523 }).octets);
    world.run(LINK_UP_NS + 1_000_000);
    subscription.unsubscribe();
    wires[1]!.station.send(frameTo(A, B).octets);
    world.run(LINK_UP_NS + 2_000_000);
    expect(told.map(event => [event.switch, event.kind])).toEqual([
      ['sw', 'learned'],
      ['sw', 'decision'],
      ['sw', 'dropped'],
    ]);
    expect(told[1]).toMatchObject({ verdict: 'flooded', port: 0, vlan: 5, to: [1] });
    expect(told[2]).toMatchObject({ port: 1, reason: 'oversize' });
    expect((told[2] as { frame: Frame }).frame).toBeInstanceOf(Frame);
    expect(device.onDecision).toBe(null);
  });
});
