import { describe, expect, test } from 'vitest';
import { type UdpClientReport, udpClient } from '../../../../kernel/apps/udp-client.ts';
import { ECHO_PORT, udpEcho } from '../../../../kernel/apps/udp-echo.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { recordFrames } from '../../../../src/world/recorders.ts';
import { type CableOptions, World } from '../../../../src/world/world.ts';

const LINK_UP_NS = 2_000_000_000;
const END_NS = 2_400_000_000;
const DATAGRAMS = 40;
/** ANA for 10BASE-T and 100BASE-TX alone, both duplexes; nothing of gigabit. PCTRL: negotiate anew. */
const ADVERTISED = { 10: 0x0061, 100: 0x0181, 1000: null } as const;
const RESTART = 0x1200;

/** Two hosts that send each other datagrams of growing length over a cable: the capture, and how many were answered. */
function run(speed: 10 | 100 | 1000, cable: CableOptions): { capture: Buffer; answered: number; linkSpeed: number } {
  const world = new World('signals');
  const [a, b] = ['192.0.2.1', '192.0.2.2'].map((address, i) =>
    world.computer(`host${i}`, { nics: [{ address: `${address}/24` }] }),
  );
  world.cable('cable', a!.nics[0]!, b!.nics[0]!, cable);
  const { phy } = a!.nics[0]!.device;
  const advertised = ADVERTISED[speed];
  if (advertised !== null) {
    phy.writeRegister(4, advertised);
    phy.writeRegister(9, 0);
    phy.writeRegister(0, RESTART);
  }
  b!.start('echo', udpEcho());
  const reports: UdpClientReport[] = [];
  a!.start('client', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    const options = { count: DATAGRAMS, payloadBytes: 700, timeoutNs: 5_000_000 };
    yield* udpClient(parseIpv4('192.0.2.2'), ECHO_PORT, options, report => reports.push(report))(sys);
  });
  const chunks: Uint8Array[] = [];
  const recorder = recordFrames(world, chunk => chunks.push(chunk.slice()));
  world.run(END_NS);
  recorder.close();
  return {
    capture: Buffer.concat(chunks),
    answered: reports.filter(({ kind }) => kind === 'answer').length,
    linkSpeed: phy.link.speed,
  };
}

describe.each([10, 100, 1000] as const)('a signal-accurate cable at %i Mb/s', speed => {
  test('without symbol errors gives the capture of an ordinary one, to the byte', () => {
    const damaged = { bitErrorRate: 1e-5 };
    const ordinary = run(speed, damaged);
    expect(ordinary.linkSpeed).toBe(speed);
    expect(ordinary.answered).toBeGreaterThan(DATAGRAMS / 2);
    expect(run(speed, { ...damaged, signalAccurate: true }).capture.equals(ordinary.capture)).toBe(true);
  });

  test('with them loses datagrams, the same ones in each run', () => {
    const noisy = { signalAccurate: true, symbolErrorRate: 3e-5 };
    const { capture, answered } = run(speed, noisy);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(DATAGRAMS - 2);
    expect(run(speed, noisy).capture.equals(capture)).toBe(true);
  });
});

describe('a cable of the world', () => {
  test('has a symbol error rate only when it is signal-accurate', () => {
    expect(() => run(100, { symbolErrorRate: 1e-6 })).toThrow('only a signal-accurate cable has a symbol error rate');
    expect(() => run(100, { signalAccurate: true, symbolErrorRate: 1.5 })).toThrow(RangeError);
  });
});
