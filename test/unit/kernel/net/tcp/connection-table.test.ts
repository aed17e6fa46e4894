/** Who has a port: listeners and connections, at one address or at any. */
import { expect, test } from 'vitest';
import { parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { HOST, PEER } from '../../../../support/net-rig.ts';
import { TcpRig } from '../../../../support/tcp-rig.ts';

const here = parseIpv4(HOST);
const elsewhere = parseIpv4('192.0.2.77');

test('a port is taken as long as a connection has it, at its address and at any', () => {
  const rig = new TcpRig();
  const taken = () => [here, 0, elsewhere].map(address => rig.tcp.portTaken(address, 5000));
  const connect = (port: number) =>
    rig.tcp.connect({ address: 0, port: 5000 }, { address: parseIpv4(PEER), port }, rig.options(), rig.user);
  expect(taken()).toEqual([false, false, false]);
  const [first, second] = [connect(1), connect(2)];
  expect(taken()).toEqual([true, true, false]);
  first.abort();
  expect(taken()).toEqual([true, true, false]);
  second.abort();
  expect(taken()).toEqual([false, false, false]);
  expect(rig.tcp.portTaken(here, 5001)).toBe(false);
});

test('a listener at any address has its port at all of them', () => {
  const rig = new TcpRig();
  const listener = rig.listen();
  expect([here, 0, elsewhere].map(address => rig.tcp.portTaken(address, 80))).toEqual([true, true, true]);
  listener.close();
  expect(rig.tcp.portTaken(0, 80)).toBe(false);
});

test('of many connections, more than the table began with, each is found by its own segments', () => {
  const rig = new TcpRig();
  const remote = { address: parseIpv4(PEER), port: 7 };
  const all = Array.from({ length: 1000 }, (_, i) =>
    rig.tcp.connect({ address: here, port: 1000 + i }, remote, rig.options(), rig.user),
  );
  rig.driver.sent.length = 0;
  for (const each of all.filter((_, i) => i % 3 !== 0)) each.abort();
  expect(rig.tcp.connections().length).toBe(334);
  expect(all.map(({ local }) => rig.tcp.portTaken(here, local.port))).toEqual(all.map((_, i) => i % 3 === 0));
});
