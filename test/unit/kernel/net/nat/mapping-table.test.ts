import { expect, test } from 'vitest';
import { KIND } from '../../../../../kernel/net/nat/mapping.ts';
import { MAX_MAPPINGS, MAX_SESSIONS, MappingTable } from '../../../../../kernel/net/nat/mapping-table.ts';
import { NetRig, SECOND_NS } from '../../../../support/net-rig.ts';

const TIMEOUTS = {
  udpNs: 300 * SECOND_NS,
  tcpEstablishedNs: 7440 * SECOND_NS,
  tcpTransitoryNs: 240 * SECOND_NS,
  icmpNs: 60 * SECOND_NS,
};
const FIRST_PUBLIC = 0xcb00_7101;
const FIRST_HOST = 0x0a00_0002;
const PORTS_PER_HOST = 32_768;

test('NAT-13 a full table refuses, keeps all that it has, and is empty again when that has aged', () => {
  const rig = new NetRig();
  const table = new MappingTable(rig, TIMEOUTS, { holds: () => false });
  const open = (number: number) => {
    const host = Math.floor(number / PORTS_PER_HOST);
    const port = 1024 + (number % PORTS_PER_HOST);
    return table.open(KIND.udp, FIRST_PUBLIC + host, FIRST_HOST + host, port, 1, 1, 'ACTIVE', false);
  };
  let lost = 0;
  for (let i = 0; i < MAX_MAPPINGS; i++) if (open(i) === null) lost += 1;
  expect([lost, table.mappingCount]).toEqual([0, MAX_MAPPINGS]);
  expect(open(MAX_MAPPINGS)).toBeNull();
  const [first] = table.mappings();
  for (let i = MAX_MAPPINGS; i < MAX_SESSIONS; i++) table.addSession(first!, 2, i, 'ACTIVE');
  expect([table.mappingCount, table.sessionCount]).toEqual([MAX_MAPPINGS, MAX_SESSIONS]);
  expect(table.addSession(first!, 3, 1, 'ACTIVE')).toBeNull();
  rig.advance(TIMEOUTS.udpNs);
  expect([table.mappingCount, table.sessionCount]).toEqual([0, 0]);
  expect(rig.nextTimerNs()).toBe(Number.POSITIVE_INFINITY);
  expect(open(0)?.mapping.publicPort).toBe(1024);
});
