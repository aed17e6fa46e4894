import { describe, expect, test } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { FREE } from '../../../src/world/computer.ts';
import type { NicOptions } from '../../../src/world/nic.ts';
import { type WireImpairments, World } from '../../../src/world/world.ts';

const LINK_UP_NS = 2_500_000_000;
const withNic = (nic: NicOptions) => () => new World('1').computer('a', { nics: [nic] });

describe('what does not make a world is refused when it is said', () => {
  test.each<[NicOptions, string]>([
    [{ address: '192.0.2.1' }, 'not an address with a prefix: "192.0.2.1"'],
    [{ address: '192.0.2.1/33' }, 'not an address with a prefix'],
    [{ address: '192.0.2.1/24/7' }, 'not an address with a prefix'],
    [{ address: '192.0.2.256/24' }, 'not an IPv4 address: "192.0.2.256"'],
    [{ address: '192.0.2/24' }, 'not an IPv4 address: "192.0.2"'],
    [{ address: '224.0.0.1/24' }, 'no NIC can have the address 224.0.0.1'],
    [{ address: '127.0.0.1/8' }, 'no NIC can have the address 127.0.0.1'],
    [{ address: '0.0.0.0/0' }, 'no NIC can have the address 0.0.0.0'],
    [{ address: '192.0.2.1/24', gateway: '192.0.3.1' }, 'gateway 192.0.3.1 is no other host on the network of'],
    [{ address: '192.0.2.1/24', gateway: '192.0.2.1' }, 'gateway 192.0.2.1 is no other host'],
    [{ address: '192.0.2.1/24', gateway: 'there' }, 'not an IPv4 address: "there"'],
    [{ gateway: '192.0.2.1' }, 'gateway 192.0.2.1 of a NIC without an address'],
    [{ mac: '52:54:00' }, 'not a MAC address: "52:54:00"'],
    [{ mac: '01:00:5e:00:00:01' }, "a group's MAC address"],
    [{ txDescriptors: 7 }, 'txDescriptors is 7, not a multiple of 8'],
    [{ rxDescriptors: 4104 }, 'rxDescriptors is 4104'],
  ])('NIC %j', (nic, message) => {
    expect(withNic(nic)).toThrow(RangeError);
    expect(withNic(nic)).toThrow(message);
  });

  test.each([0, 1.5, -1, 1025, Number.NaN])('%d MiB of memory', memoryMib => {
    expect(() => new World('1').computer('a', { nics: [], memoryMib })).toThrow(`memory of ${memoryMib} MiB`);
  });

  test('more NICs than a PCI bus has slots', () => {
    const nics = new Array(32).fill({ rxDescriptors: 8, txDescriptors: 8 });
    expect(() => new World('1').computer('a', { nics })).toThrow('32 NICs: a PCI bus takes 31');
  });

  test('two computers, or two cables, of one name', () => {
    const world = new World('1');
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => world.computer(name, { nics: [{}] }).nics[0]!);
    expect(() => world.computer('a', { nics: [] })).toThrow('the world has a "a" already');
    world.cable('one', a!, b!);
    expect(() => world.cable('one', c!, d!)).toThrow('the world has a "one" already');
  });

  test('a socket with two plugs', () => {
    const world = new World('1');
    const [a, b, c] = ['a', 'b', 'c'].map(name => world.computer(name, { nics: [{}] }).nics[0]!);
    world.cable('one', a!, b!);
    expect(() => world.cable('two', c!, b!)).toThrow('b.eth0 has cable "one" in its socket already');
    expect(() => world.openWire('three', a!)).toThrow('a.eth0 has cable "one" in its socket already');
    expect(() => world.cable('four', c!, c!)).toThrow('both ends of cable "four" in c.eth0');
    expect([...world.wires.keys()]).toEqual(['one']);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 100_001])('a cable of %d metres', lengthMetres => {
    const world = new World('1');
    const [a, b] = ['a', 'b'].map(name => world.computer(name, { nics: [{}] }).nics[0]!);
    expect(() => world.cable('cable', a!, b!, { lengthMetres })).toThrow(`metres long, not ${lengthMetres}`);
    expect(() => world.cable('cable', a!, b!, { bitErrorRate: 1 })).toThrow('a bit error rate lies between 0 and 1');
  });

  test('impairments on a hub, of a wire that there is not, or out of range', () => {
    const world = new World('1');
    const [a, b, c] = ['a', 'b', 'c'].map(name => world.computer(name, { nics: [{}] }).nics[0]!);
    expect(() => world.hub('hub', [a!, b!], { impairments: { loss: 0.1 } })).toThrow('a hub is half duplex');
    expect(() => world.impair('none', {})).toThrow('the world has no wire "none"');
    expect(() => world.cable('one', a!, b!, { impairments: { loss: 2 } })).toThrow('loss is a probability from 0 to 1');
    expect(() => world.openWire('two', c!, { impairments: [null, { delayNs: -1 }] })).toThrow('delayNs is 0 to');
    expect(world.wires.size).toBe(0);
  });

  test('a computer or a program that comes when the world has run', () => {
    const world = new World('1');
    const a = world.computer('a', { nics: [] });
    world.run(1);
    expect(() => world.computer('b', { nics: [] })).toThrow('"b" comes too late');
    expect(() => a.start('late', sys => sys.sleep(0))).toThrow('program "late" comes too late');
  });
});

describe('a switch', () => {
  const host = (world: World, n: number) =>
    world.computer(`h${n}`, { nics: [{ address: `192.0.2.${n}/24` }], costs: FREE });

  /** Has the first host ping all others, and returns the replies by who gave them. */
  function pingAll(world: World, count: number): number[] {
    const replied: number[] = [];
    for (let n = 2; n <= count; n++) {
      world.computers.get('h1')!.start(`ping${n}`, function* (sys) {
        yield* sys.sleep(LINK_UP_NS);
        yield* ping(parseIpv4(`192.0.2.${n}`), { count: 1 }, ({ kind }) => kind === 'reply' && replied.push(n))(sys);
      });
    }
    world.run(LINK_UP_NS + 100_000_000);
    return replied.sort((a, b) => a - b);
  }

  test('with a list of NICs has a cable to each', () => {
    const world = new World('1');
    const nics = [1, 2, 3].map(n => host(world, n).nics[0]!);
    const { wires, ports, device } = world.switch('sw', nics, { fastestMbps: 100 });
    expect(pingAll(world, 3)).toEqual([2, 3]);
    expect(wires.map(({ ends }) => ends)).toEqual([
      ['h1.eth0', 'sw.port0'],
      ['h2.eth0', 'sw.port1'],
      ['h3.eth0', 'sw.port2'],
    ]);
    expect(ports.map(({ name }) => name)).toEqual(['sw.port0', 'sw.port1', 'sw.port2']);
    expect(device.ports.map(({ link }) => link.speed)).toEqual([100, 100, 100]);
    expect(device.table().length).toBe(3);
  });

  test('is joined to computers, to hubs and to another switch by the cables between them', () => {
    const world = new World('1');
    const nics = [1, 2, 3, 4].map(n => host(world, n).nics[0]!);
    const [one, two] = ['one', 'two'].map(name => world.switch(name, { ports: 3 }));
    world.cable('a', nics[0]!, one!.ports[0]!);
    world.cable('trunk', one!.ports[2]!, two!.ports[2]!);
    world.hub('hub', [two!.ports[0]!, nics[1]!, nics[2]!]);
    world.cable('b', two!.ports[1]!, nics[3]!);
    expect(pingAll(world, 4)).toEqual([2, 3, 4]);
    expect(two!.device.ports[0]!.link).toEqual({ up: true, speed: 10, fullDuplex: false });
    expect([...world.switches.keys()]).toEqual(['one', 'two']);
  });

  test('takes an open wire, and two switches never have an address in common', () => {
    const world = new World('1');
    const a = host(world, 1);
    const { ports, device } = world.switch('sw', [a.nics[0]!], { ports: 2 });
    const { station } = world.openWire('out', ports[1]!);
    const arrived: number[] = [];
    station.onReceive = ({ octets }) => arrived.push(octets[0]!);
    a.start('ping', function* (sys) {
      yield* sys.sleep(LINK_UP_NS);
      yield* ping(parseIpv4('192.0.2.9'), { count: 1 }, () => {})(sys);
    });
    world.run(LINK_UP_NS + 100_000_000);
    expect(arrived[0]).toBe(0xff); // the ARP request
    const other = world.switch('other', { ports: 254 }).device;
    const addresses = [device, other].flatMap(each => [each.address, ...each.ports.map(({ address }) => address)]);
    expect(new Set(addresses.map(address => address.join())).size).toBe(2 + 2 + 254);
  });

  test('is refused where it makes no sense', () => {
    const world = new World('1');
    const nics = [1, 2].map(n => host(world, n).nics[0]!);
    expect(() => world.switch('h1', { ports: 2 })).toThrow('the world has a "h1" already');
    expect(() => world.switch('sw', nics, { ports: 1 })).toThrow('2 NICs at a switch of 1 ports');
    expect(() => world.switch('sw', { ports: 0 })).toThrow('number of ports of a switch: 0');
    world.switch('sw', { ports: 2 });
    expect(() => world.switch('sw', { ports: 2 })).toThrow('the world has a "sw" already');
    expect(() => world.computer('sw', { nics: [] })).toThrow('the world has a "sw" already');
  });
});

describe('several NICs in one computer', () => {
  test('each has its own rings, address, name and wire', () => {
    const world = new World('1');
    const sizes = [8, 64, 256, 1024];
    const nics = sizes.map((count, i) => ({
      address: `10.0.${i}.1/24`,
      txDescriptors: count,
      rxDescriptors: 2 * count,
    }));
    const router = world.computer('router', { nics, costs: FREE });
    const reports: PingReport[] = [];
    for (const i of sizes.keys()) {
      const host = world.computer(`h${i}`, { nics: [{ address: `10.0.${i}.2/24` }], costs: FREE });
      world.cable(`cable${i}`, router.nics[i]!, host.nics[0]!);
      router.start(`ping${i}`, function* (sys) {
        yield* sys.sleep(LINK_UP_NS);
        yield* ping(parseIpv4(`10.0.${i}.2`), { count: 1 }, report => reports.push(report))(sys);
      });
    }
    world.run(LINK_UP_NS + 100_000_000);
    expect(router.nics.map(({ name }) => name)).toEqual(['router.eth0', 'router.eth1', 'router.eth2', 'router.eth3']);
    expect(reports.map(report => report.kind)).toEqual(['reply', 'reply', 'reply', 'reply']);
    const rings = router.kernel.memory.usage().allocations.filter(({ owner }) => owner.endsWith('ring'));
    expect(rings.map(({ owner, sizeBytes }) => [owner, sizeBytes / 16])).toEqual(
      sizes.flatMap((count, i) => [
        [`eth${i} TX ring`, count],
        [`eth${i} RX ring`, 2 * count],
      ]),
    );
    // Each receive ring holds all but one of its packets, and as much is left as the transmit rings may take.
    const { free, device } = router.kernel.packets.usage();
    expect(device).toBe(sizes.reduce((sum, count) => sum + 2 * count - 1, 0));
    expect(free).toBeGreaterThan(sizes.reduce((sum, count) => sum + count, 0));
  });

  test('31 of them with rings of the usual size come up, four to an interrupt line', () => {
    const world = new World('1');
    const nics = new Array<NicOptions>(31).fill({});
    const { kernel, nics: built } = world.computer('many', { nics, costs: FREE });
    world.run(100_000_000);
    expect(kernel.net.interfaces.length).toBe(31);
    expect(kernel.packets.usage().device).toBe(31 * 255);
    expect(new Set(kernel.net.interfaces.map(({ mac }) => mac.join())).size).toBe(31);
    expect(built.at(-1)!.name).toBe('many.eth30');
  });

  test('one with the largest rings comes up too', () => {
    const world = new World('1');
    const { kernel } = world.computer('big', { nics: [{ txDescriptors: 4096, rxDescriptors: 4096 }] });
    world.run(100_000_000);
    expect(kernel.packets.usage().device).toBe(4095);
    expect(kernel.packets.usage().free).toBeGreaterThan(4095);
  });

  test('a computer with one usual NIC has 4 MiB of memory', () => {
    expect(new World('1').computer('a', { nics: [{}] }).ram.bytes.length).toBe(4 * 1024 * 1024);
  });
});

describe('a run', () => {
  test('goes on when a program fails, and the world can say which', () => {
    const world = new World('1');
    const a = world.computer('a', { nics: [] });
    const b = world.computer('b', { nics: [] });
    let late = false;
    a.start('bad', function* (sys) {
      yield* sys.sleep(1_000_000);
      throw new Error('I broke');
    });
    a.start('worse', function* (sys) {
      yield* sys.sleep(2_000_000);
      throw new Error('me too');
    });
    b.start('good', function* (sys) {
      yield* sys.sleep(3_000_000);
      late = true;
    });
    world.run(10_000_000);
    expect(late).toBe(true);
    expect(world.failedPrograms()).toEqual([{ computer: 'a', program: 'bad', error: new Error('I broke') }]);
    expect(a.console).toContain('bad: I broke');
  });

  test('keeps the name of the first program that failed, however many end after it', () => {
    const world = new World('1');
    const a = world.computer('a', { nics: [] });
    a.start('bad', function* (sys) {
      yield* sys.sleep(0);
      throw new Error('first');
    });
    for (let i = 0; i < 100; i++) a.start(`t${i}`, sys => sys.sleep(1));
    world.run(1_000_000);
    expect(world.failedPrograms().map(({ program }) => program)).toEqual(['bad']);
  });

  test('throws what halted a hart, with the name of its computer', () => {
    const world = new World('1');
    const a = world.computer('a', { nics: [{}] });
    a.start('wild', function* (sys) {
      yield* sys.sleep(0);
      a.kernel.packets.free({ ...a.kernel.packets.allocate()! });
    });
    expect(() => world.run(100_000_000)).toThrow(/^a halted: .*not a packet of this pool/);
  });

  test('keeps the latest 65,536 characters of a console', () => {
    const world = new World('1');
    const a = world.computer('a', { nics: [] });
    a.start('talker', function* (sys) {
      for (let i = 0; i < 2_000; i++) {
        sys.log(`line ${i} ${'x'.repeat(80)}`);
        yield* sys.sleep(20_000_000);
      }
    });
    world.run(60_000_000_000);
    expect(a.console.length).toBe(65_536);
    expect(a.console.trimEnd()).toMatch(/line 1999 x+$/);
    expect(a.console).not.toContain('line 1000 ');
  });
});

describe('impairments of a wire', () => {
  /** Alice pings bob three times; what came of it, and what the boxes have done from her end and from his. */
  function pings(impairments: WireImpairments, seed = '1') {
    const world = new World(seed);
    const [alice, bob] = ['192.0.2.1/24', '192.0.2.2/24'].map((address, i) =>
      world.computer(['alice', 'bob'][i]!, { nics: [{ address }], costs: FREE }),
    );
    const { cable } = world.cable('cable', alice!.nics[0]!, bob!.nics[0]!, { impairments });
    const reports: PingReport[] = [];
    alice!.start('ping', function* (sys) {
      yield* sys.sleep(LINK_UP_NS);
      const options = { count: 3, intervalNs: 100_000_000, timeoutNs: 90_000_000 };
      yield* ping(parseIpv4('192.0.2.2'), options, report => reports.push(report))(sys);
    });
    world.run(LINK_UP_NS + 1e9);
    const boxes = ([0, 1] as const).map(from => cable.impairment(from)?.counters ?? null);
    return { kinds: reports.map(({ kind }) => kind), boxes };
  }
  const isEchoRequest = (octets: Uint8Array) => octets[12] === 8 && octets[13] === 0 && octets[34] === 8;

  test('lose exactly the frame that a story names, in one direction', () => {
    const { kinds, boxes } = pings([{ lose: { nth: [2], matching: isEchoRequest } }, null]);
    expect(kinds).toEqual(['reply', 'timeout', 'reply']);
    expect(boxes).toMatchObject([{ lost: 1 }, null]);
  });

  test('hold for both directions unless a pair is given, and are found out by the checksums', () => {
    const { kinds, boxes } = pings({ corrupt: 1 });
    expect(kinds).toEqual(['timeout', 'timeout', 'timeout']);
    expect(boxes).toMatchObject([{ corrupted: 3 }, { corrupted: 0, taken: 1 }]);
  });
});
