/**
 * A DHCP server and clients that do what they like: whatever they say, and in whichever order, no two of them may use the
 * same address at the same time. The model knows what each client has been told, and nothing else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DhcpMessageType } from '../../kernel/apps/dhcp/message.ts';
import { typeOf, wordOf, wordsOption } from '../../kernel/apps/dhcp/options.ts';
import { configOf } from '../../kernel/apps/dhcp/server-options.ts';
import { ServerProtocol } from '../../kernel/apps/dhcp/server-protocol.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { dhcpMessage } from '../support/dhcp.ts';

const SECOND_NS = 1_000_000_000;
const OWN = { address: parseIpv4('192.0.2.1'), prefixLength: 24 };
const FIRST = parseIpv4('192.0.2.100');
const LAST = parseIpv4('192.0.2.103');
const RESERVED = parseIpv4('192.0.2.10');
const OWNER = 0;
const CONFIG = configOf({
  ranges: [['192.0.2.100', '192.0.2.103']],
  reservations: [{ mac: '02:00:00:00:00:00', address: '192.0.2.10' }],
  leaseSeconds: 100,
});

const client = fc.nat(5);
const address = fc.oneof(fc.integer({ min: FIRST, max: LAST }), fc.constantFrom(RESERVED, parseIpv4('203.0.113.1')));
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('discover' as const), client, address }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('request' as const), client, address }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reboot' as const), client, address }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('decline' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('other server' as const), client }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.nat(70) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a client has been told. */
interface Told {
  offered: number;
  address: number;
  untilNs: number;
}

class Clients {
  readonly told: Told[] = Array.from({ length: 6 }, () => ({ offered: 0, address: 0, untilNs: 0 }));
  readonly #server = new ServerProtocol(CONFIG);
  /** Until when addresses that were declined must not be given to anybody. */
  readonly #barred = new Map<number, number>();
  nowNs = 0;
  acknowledged = 0;

  do(step: Step): void {
    if (step.kind === 'pass') {
      this.nowNs += step.seconds * SECOND_NS;
      return;
    }
    const told = this.told[step.client]!;
    switch (step.kind) {
      case 'discover':
        told.offered = this.#say(step.client, 'DHCPDISCOVER', [[50, step.address]]) ?? told.offered;
        break;
      case 'take':
        this.#say(step.client, 'DHCPREQUEST', [
          [54, OWN.address],
          [50, told.offered],
        ]);
        break;
      case 'request':
        this.#say(step.client, 'DHCPREQUEST', [
          [54, OWN.address],
          [50, step.address],
        ]);
        break;
      case 'reboot':
        this.#say(step.client, 'DHCPREQUEST', [[50, step.address]]);
        break;
      case 'renew':
        if (this.#uses(told)) this.#say(step.client, 'DHCPREQUEST', [], told.address);
        break;
      case 'release':
        if (this.#uses(told)) this.#say(step.client, 'DHCPRELEASE', [[54, OWN.address]], told.address);
        told.untilNs = 0;
        break;
      case 'decline':
        this.#decline(step.client, told);
        break;
      case 'other server':
        this.#say(step.client, 'DHCPREQUEST', [
          [54, parseIpv4('192.0.2.2')],
          [50, parseIpv4('192.0.2.200')],
        ]);
        told.untilNs = 0;
    }
  }

  /** The addresses that clients may use now. */
  inUse(): number[] {
    return this.told.filter(told => this.#uses(told)).map(told => told.address);
  }

  #uses({ untilNs }: Told): boolean {
    return untilNs > this.nowNs;
  }

  #decline(number: number, told: Told): void {
    if (!this.#uses(told)) return;
    this.#say(number, 'DHCPDECLINE', [
      [54, OWN.address],
      [50, told.address],
    ]);
    this.#barred.set(told.address, this.nowNs + 600 * SECOND_NS);
    told.untilNs = 0;
  }

  /** Returns the address that the answer is about; null for none. */
  #say(number: number, type: DhcpMessageType, pairs: [number, number][], ciaddr = 0): number | null {
    const options = pairs.map(([code, value]) => [code, wordsOption(value)] as const);
    const query = dhcpMessage(type, options, { chaddr: Uint8Array.of(2, 0, 0, 0, 0, number), ciaddr });
    const answer = this.#server.answer(query, OWN, this.nowNs);
    if (answer === null) return null;
    const { options: said, yiaddr } = answer.message;
    expect(typeOf(said)).toBe(answer.type);
    if (answer.type === 'DHCPNAK') {
      this.told[number]!.untilNs = 0;
      return null;
    }
    if (number === OWNER) expect(yiaddr).toBe(RESERVED);
    else expect(yiaddr >= FIRST && yiaddr <= LAST).toBe(true);
    expect(this.#barred.get(yiaddr) ?? 0).toBeLessThanOrEqual(this.nowNs);
    if (answer.type === 'DHCPACK') {
      this.acknowledged += 1;
      Object.assign(this.told[number]!, { address: yiaddr, untilNs: this.nowNs + wordOf(said, 51)! * SECOND_NS });
    }
    return yiaddr;
  }
}

describe('a DHCP server', () => {
  test('never lets two clients use one address, nor anybody a reserved or declined one', () => {
    let acknowledged = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), steps => {
        const clients = new Clients();
        for (const each of steps) {
          clients.do(each);
          const inUse = clients.inUse();
          expect(new Set(inUse).size).toBe(inUse.length);
        }
        acknowledged += clients.acknowledged;
      }),
      { numRuns: 300 },
    );
    expect(acknowledged).toBeGreaterThan(500);
  });
});
