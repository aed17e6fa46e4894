/** Each view of a small office, as a person sees it and as a program does. */
import { beforeAll, expect, test } from 'vitest';
import { COMPUTER_VIEWS, SWITCH_VIEWS } from '../../../../src/views/index.ts';
import type { Table } from '../../../../src/views/table.ts';
import type { Computer } from '../../../../src/world/computer.ts';
import { World } from '../../../../src/world/world.ts';
import scenario, { type SmallOffice, smallOffice } from '../../../support/small-office.ts';

const END_NS = scenario.untilNs;

let office: SmallOffice;
/** Begun before the office was switched on. */
let watched: Readonly<Record<'route' | 'nat' | 'mac', () => Table>>;

beforeAll(() => {
  const world = new World('1');
  office = smallOffice(world);
  const { router, sw } = office;
  watched = {
    route: COMPUTER_VIEWS.route.watch!(router, world.clock)!,
    nat: COMPUTER_VIEWS.nat.watch!(router, world.clock)!,
    mac: SWITCH_VIEWS.mac.watch!(sw, world.clock)!,
  };
  world.run(END_NS);
});

const of = (view: keyof typeof COMPUTER_VIEWS, computer: Computer): Table =>
  COMPUTER_VIEWS[view].table(computer, END_NS)!;

/** The lines with one blank between cells: what they say, not how wide they are, nor the times and what was drawn. */
const lines = (table: Table): readonly string[] =>
  table.lines().map(line =>
    line
      .trim()
      .replace(/ +/g, ' ')
      .replace(/(?<![\d.])\d+\.\d{3}(\d{6})?(?![\d.])/g, 'time')
      .replace(/\b(?!40000)\d{5}\b/g, 'drawn')
      .replace(/ newreno .*/, ' newreno and so on'),
  );

/** A row as JSON has it, but for the times. */
const row = (table: Table, index: number): unknown =>
  JSON.parse(JSON.stringify(table.rows.at(index)), (name, value) =>
    name.endsWith('Ns') && value !== null ? 'time' : value,
  );

test('columns are as wide as what is in them, and numbers are flush right', () => {
  expect(of('neigh', office.router).lines()).toMatchInlineSnapshot(`
    [
      "Address      Dev   MAC                State      Waiting",
      "10.0.0.2     eth0  52:54:00:00:00:01  REACHABLE        0",
      "203.0.113.9  eth1  52:54:00:00:00:05  REACHABLE        0",
    ]
  `);
});

test('addr: the loopback and the interfaces, with counters', () => {
  expect(lines(of('addr', office.router))).toMatchInlineSnapshot(`
    [
      "Dev State Link MTU MAC Address Broadcast RX packets RX bytes TX packets TX bytes TX dropped",
      "lo UP - 1500 - 127.0.0.1/8 - - - - - -",
      "eth0 UP 1000 Mb/s full 1500 52:54:00:00:00:03 10.0.0.1/24 10.0.0.255 5 364 4 285 0",
      "eth1 UP 1000 Mb/s full 1500 52:54:00:00:00:04 203.0.113.1/24 203.0.113.255 4 303 5 346 0",
    ]
  `);
  expect(row(of('addr', office.bob), 1)).toMatchInlineSnapshot(`
    {
      "address": "10.0.0.3",
      "broadcast": "10.0.0.255",
      "counters": {
        "rxBytes": 60,
        "rxPackets": 1,
        "txBytes": 0,
        "txDropped": 0,
        "txPackets": 0,
      },
      "dev": "eth0",
      "fullDuplex": true,
      "mac": "52:54:00:00:00:02",
      "mtu": 1500,
      "prefixLength": 24,
      "speedMbps": 1000,
      "state": "UP",
    }
  `);
});

test('route: the whole table', () => {
  expect(lines(of('route', office.alice))).toMatchInlineSnapshot(`
    [
      "Type Destination Via Dev Source Metric State",
      "unicast default 10.0.0.1 eth0 10.0.0.2 0",
      "unicast 10.0.0.0/24 - eth0 10.0.0.2 0",
      "local 10.0.0.2/32 - lo 10.0.0.2 0",
      "local 127.0.0.0/8 - lo 127.0.0.1 0",
      "broadcast 255.255.255.255/32 - eth0 10.0.0.2 0",
    ]
  `);
  expect(row(of('route', office.alice), 0)).toMatchInlineSnapshot(`
    {
      "destination": "0.0.0.0/0",
      "dev": "eth0",
      "gateway": "10.0.0.1",
      "metric": 0,
      "source": "10.0.0.2",
      "type": "unicast",
      "usable": true,
    }
  `);
});

test('neigh: what ARP knows', () => {
  expect(lines(of('neigh', office.alice))).toMatchInlineSnapshot(`
    [
      "Address Dev MAC State Waiting",
      "10.0.0.1 eth0 52:54:00:00:00:03 REACHABLE 0",
    ]
  `);
  expect(row(of('neigh', office.alice), 0)).toMatchInlineSnapshot(`
    {
      "address": "10.0.0.1",
      "dev": "eth0",
      "mac": "52:54:00:00:00:03",
      "state": "reachable",
      "waiting": 0,
    }
  `);
});

test('nat: public and private ends, protocol and state', () => {
  expect(lines(of('nat', office.router))).toMatchInlineSnapshot(`
    [
      "Public Port Private Port Protocol State Peer Age (s) Left (s)",
      "203.0.113.1 8080 10.0.0.3 80 tcp FORWARD - time -",
      "203.0.113.1 drawn 10.0.0.2 drawn icmp ACTIVE *:* time time",
      "203.0.113.1 40000 10.0.0.2 40000 tcp ESTABLISHED 203.0.113.9:80 time time",
    ]
  `);
  expect(row(of('nat', office.router), 2)).toMatchInlineSnapshot(`
    {
      "ageNs": "time",
      "leftNs": "time",
      "privateAddress": "10.0.0.2",
      "privatePort": 40000,
      "protocol": "tcp",
      "publicAddress": "203.0.113.1",
      "publicPort": 40000,
      "sessions": [
        {
          "leftNs": "time",
          "remoteAddress": "203.0.113.9",
          "remotePort": 80,
          "state": "ESTABLISHED",
        },
      ],
      "state": "ESTABLISHED",
    }
  `);
  expect(COMPUTER_VIEWS.nat.table(office.alice, END_NS)).toBeNull();
  expect(COMPUTER_VIEWS.nat.watch!(office.alice, office.world.clock)).toBeNull();
});

test('filter: for each chain what no rule decided, then its rules with their counters', () => {
  expect(lines(of('filter', office.router))).toMatchInlineSnapshot(`
    [
      "Chain Hook Priority Policy Packets Bytes Rule",
      "input input 0 accept 0 0",
      "forward forward 0 drop 0 0",
      "forward 5 305 ct state established,related accept",
      "forward 2 144 iifname "eth0" jump outgoing",
      "outgoing",
      "outgoing 1 84 ip protocol icmp counter",
      "outgoing 0 0 tcp dport telnet reject with tcp reset",
      "outgoing 2 144 accept",
    ]
  `);
  expect(of('filter', office.router).rows.slice(1, 3)).toMatchInlineSnapshot(`
    [
      {
        "bytes": 0,
        "chain": "forward",
        "hook": "forward",
        "packets": 0,
        "policy": "drop",
        "priority": 0,
        "rule": null,
      },
      {
        "bytes": 305,
        "chain": "forward",
        "hook": null,
        "packets": 5,
        "policy": null,
        "priority": null,
        "rule": "ct state established,related accept",
      },
    ]
  `);
  expect(COMPUTER_VIEWS.filter.table(office.alice, END_NS)).toBeNull();
});

test('connections: what the filter tracks', () => {
  expect(lines(of('connections', office.router))).toMatchInlineSnapshot(`
    [
      "Protocol Source Port Destination Port State Left (s)",
      "icmp 10.0.0.2 drawn 203.0.113.9 drawn ANSWERED time",
      "tcp 10.0.0.2 40000 203.0.113.9 80 ESTABLISHED time",
    ]
  `);
  expect(row(of('connections', office.router), 1)).toMatchInlineSnapshot(`
    {
      "destination": "203.0.113.9",
      "destinationPort": 80,
      "leftNs": "time",
      "protocol": "tcp",
      "source": "10.0.0.2",
      "sourcePort": 40000,
      "state": "ESTABLISHED",
    }
  `);
  expect(COMPUTER_VIEWS.connections.table(office.alice, END_NS)).toBeNull();
});

test('sockets: who listens, and who is connected', () => {
  expect(lines(of('sockets', office.server))).toMatchInlineSnapshot(`
    [
      "Netid State Recv-Q Send-Q Local Peer Info",
      "tcp LISTEN 0 16 *:80 *:*",
      "tcp ESTABLISHED 0 0 203.0.113.9:80 203.0.113.1:40000 newreno and so on",
    ]
  `);
  expect(row(of('sockets', office.server), 0)).toMatchInlineSnapshot(`
    {
      "info": "",
      "local": {
        "address": "0.0.0.0",
        "port": 80,
      },
      "netid": "tcp",
      "peer": {
        "address": "0.0.0.0",
        "port": 0,
      },
      "recvQ": 0,
      "sendQ": 16,
      "state": "LISTEN",
    }
  `);
});

test('mac: addresses with VLAN, port and age', () => {
  const table = SWITCH_VIEWS.mac.table(office.sw, END_NS)!;
  expect(lines(table)).toMatchInlineSnapshot(`
    [
      "MAC VLAN Port Type Age (s)",
      "52:54:00:aa:00:01 1 port3 static -",
      "52:54:00:00:00:03 1 port2 learned time",
      "52:54:00:00:00:01 1 port0 learned time",
    ]
  `);
  expect([row(table, 0), row(table, 1)]).toMatchInlineSnapshot(`
    [
      {
        "ageNs": null,
        "mac": "52:54:00:aa:00:01",
        "port": 3,
        "static": true,
        "vlan": 1,
      },
      {
        "ageNs": "time",
        "mac": "52:54:00:00:00:03",
        "port": 2,
        "static": false,
        "vlan": 1,
      },
    ]
  `);
});

test('ports: links, states and counters', () => {
  const table = SWITCH_VIEWS.ports.table(office.sw, END_NS)!;
  expect(lines(table)).toMatchInlineSnapshot(`
    [
      "Port Link State RX frames Errors Forwarded Flooded Filtered Blocked TX frames Dropped Queue",
      "port0 1000 Mb/s full forwarding 5 0 4 1 0 0 4 0 0",
      "port1 1000 Mb/s full forwarding 0 0 0 0 0 0 1 0 0",
      "port2 1000 Mb/s full forwarding 4 0 4 0 0 0 5 0 0",
      "port3 down forwarding 0 0 0 0 0 0 0 0 0",
    ]
  `);
  expect(row(table, 3)).toMatchInlineSnapshot(`
    {
      "counters": {
        "aged": 0,
        "alignmentErrors": 0,
        "blocked": 0,
        "control": 0,
        "droppedCollisions": 0,
        "droppedLink": 0,
        "droppedQueue": 0,
        "fcsErrors": 0,
        "filtered": 0,
        "flooded": 0,
        "forwarded": 0,
        "learned": 0,
        "moved": 0,
        "notLearned": 0,
        "pauseReceived": 0,
        "pauseSent": 0,
        "runts": 0,
        "rxBytes": 0,
        "rxErrors": 0,
        "rxFrames": 0,
        "tooLong": 0,
        "txBytes": 0,
        "txFrames": 0,
        "wrongVlan": 0,
      },
      "fullDuplex": null,
      "port": 3,
      "queueBytes": 0,
      "speedMbps": null,
      "state": "forwarding",
      "up": false,
    }
  `);
});

test('the changes of routes: one line for each route of an edit, and for each that a link takes along', () => {
  expect(lines(watched.route()).filter(line => !line.includes('broadcast'))).toMatchInlineSnapshot(`
    [
      "Time (s) Type Destination Via Dev Source Metric State",
      "time + local 127.0.0.0/8 - lo 127.0.0.1 0",
      "time + local 10.0.0.1/32 - lo 10.0.0.1 0",
      "time + unicast 10.0.0.0/24 - eth0 10.0.0.1 0 linkdown",
      "time + local 203.0.113.1/32 - lo 203.0.113.1 0",
      "time + unicast 203.0.113.0/24 - eth1 203.0.113.1 0 linkdown",
      "time ~ unicast 10.0.0.0/24 - eth0 10.0.0.1 0",
      "time ~ unicast 203.0.113.0/24 - eth1 203.0.113.1 0",
    ]
  `);
});

test('the changes of mappings: each state of a connection', () => {
  expect(lines(watched.nat())).toMatchInlineSnapshot(`
    [
      "Time (s) Public Port Private Port Protocol State Peer",
      "time + 203.0.113.1 8080 10.0.0.3 80 tcp FORWARD -",
      "time + 203.0.113.1 drawn 10.0.0.2 drawn icmp ACTIVE *:*",
      "time + 203.0.113.1 40000 10.0.0.2 40000 tcp INSIDE INIT 203.0.113.9:80",
      "time ~ 203.0.113.1 40000 10.0.0.2 40000 tcp ESTABLISHED 203.0.113.9:80",
    ]
  `);
  expect(row(watched.nat(), -1)).toMatchInlineSnapshot(`
    {
      "change": "changed",
      "row": {
        "privateAddress": "10.0.0.2",
        "privatePort": 40000,
        "protocol": "tcp",
        "publicAddress": "203.0.113.1",
        "publicPort": 40000,
        "sessions": [
          {
            "remoteAddress": "203.0.113.9",
            "remotePort": 80,
            "state": "ESTABLISHED",
          },
        ],
        "state": "ESTABLISHED",
      },
      "timeNs": "time",
    }
  `);
});

test('the changes of addresses', () => {
  expect(lines(watched.mac())).toMatchInlineSnapshot(`
    [
      "Time (s) MAC VLAN Port Type",
      "time + 52:54:00:aa:00:01 1 port3 static",
      "time + 52:54:00:00:00:01 1 port0 learned",
      "time + 52:54:00:00:00:03 1 port2 learned",
    ]
  `);
});
