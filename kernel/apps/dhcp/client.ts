/**
 * A DHCP client, RFC 2131 section 4.4: gets an interface its address, probes the address before use (RFC 5227), and keeps
 * it by asking for more time.
 *
 *     INIT -> SELECTING -> REQUESTING -> BOUND -T1-> RENEWING -T2-> REBINDING -lease ends-> INIT
 *      ^                       |          | ^------more time-+----------+          |
 *      +------NAK, conflict----+          +--link is back-> REBOOTING -> BOUND     |
 *      +------------------------------------------NAK, conflict--------------------+
 *
 * The client is one task of its computer. The object is what others see of it: its state, and the lease.
 */
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import { LIMITED_BROADCAST } from '../../net/ipv4/address.ts';
import type { Syscalls } from '../../syscall.ts';
import type { Blocking, Program } from '../../task.ts';
import { ClientMessages } from './client-messages.ts';
import { exchange, tell } from './exchange.ts';
import { type DhcpLease, leaseOf } from './lease.ts';
import type { DhcpMessage } from './message.ts';
import { typeOf } from './options.ts';

const SECOND_NS = 1_000_000_000;
// Section 4.4.1: so that not all ask at once when the power is back.
const MIN_START_NS = SECOND_NS;
const MAX_START_NS = 10 * SECOND_NS;
/** Before another try after a conflict (section 3.1, step 5). */
const DECLINE_WAIT_NS = 10 * SECOND_NS;
/** Until the server's hardware address is known, and the message has left, which is sent from the address. */
const RELEASE_WAIT_NS = SECOND_NS;
/** How often a request is sent before the client begins anew: for some 60 s (section 3.1, step 5). */
const REQUEST_ATTEMPTS = 4;
/** Between two requests for more time, at least (section 4.4.5). */
const MIN_RENEWAL_NS = 60 * SECOND_NS;

export type DhcpState =
  | 'INIT'
  | 'SELECTING'
  | 'REQUESTING'
  | 'REBOOTING'
  | 'BOUND'
  | 'RENEWING'
  | 'REBINDING'
  | 'RELEASED';

/** A server's word: the lease, or a refusal. */
type Answer = DhcpLease | 'DHCPNAK';

export class DhcpClient {
  /** The name of the interface. */
  readonly interface: string;
  readonly counters = { discovers: 0, requests: 0, naks: 0, declines: 0 };
  #state: DhcpState = 'INIT';
  #lease: DhcpLease | null = null;

  constructor(interfaceName = 'eth0') {
    this.interface = interfaceName;
  }

  get state(): DhcpState {
    return this.#state;
  }

  /** The lease, from when its address may be used until it ends; null without one. */
  get lease(): DhcpLease | null {
    return this.#state === 'SELECTING' || this.#state === 'REQUESTING' ? null : this.#lease;
  }

  /** Runs until the lease is released. It may be started again then. */
  readonly program: Program = sys => this.#run(sys);

  /** Gives the address back, and ends the client's program. To be called by any program of the same computer. */
  *release(sys: Syscalls): Blocking<void> {
    const lease = this.#lease;
    if (this.#state === 'RELEASED') return;
    this.#state = 'RELEASED';
    this.#lease = null;
    if (lease !== null) {
      tell(sys, this.interface, this.#messages(sys).release(lease), lease.server);
      yield* sys.sleep(RELEASE_WAIT_NS);
    }
    // This wakes the program, wherever it waits for the interface.
    this.#unconfigure(sys);
  }

  *#run(sys: Syscalls): Blocking<void> {
    this.#state = 'INIT';
    while (!this.#isReleased()) {
      yield* this.#acquire(sys);
      if (this.#lease !== null && (yield* this.#claim(sys))) yield* this.#hold(sys);
    }
  }

  /** INIT, SELECTING, REQUESTING: ends with a lease, unless the server changed its mind. */
  *#acquire(sys: Syscalls): Blocking<void> {
    this.#enter('INIT');
    while (!sys.interfaceStatus(this.interface).linkUp && !this.#isReleased())
      yield* sys.awaitInterface(this.interface);
    yield* sys.sleep(startNs(sys.random()));
    this.#enter('SELECTING');
    const messages = this.#messages(sys);
    const offer = yield* exchange(sys, {
      interface: this.interface,
      destination: LIMITED_BROADCAST,
      goesOn: () => !this.#isReleased(),
      query: secs => {
        this.counters.discovers += 1;
        return messages.discover(secs);
      },
      accept: (reply, askedNs) => (typeOf(reply.options) === 'DHCPOFFER' ? leaseOf(reply, askedNs) : null),
    });
    if (offer === null || this.#isReleased()) return;
    this.#enter('REQUESTING');
    const answer = yield* this.#request(sys, REQUEST_ATTEMPTS, LIMITED_BROADCAST, secs => messages.select(offer, secs));
    if (answer !== null && answer !== 'DHCPNAK' && !this.#isReleased()) this.#lease = answer;
  }

  /** Puts the address of the lease to use, unless somebody has it. Whether the interface has got it. */
  *#claim(sys: Syscalls): Blocking<boolean> {
    const lease = this.#lease!;
    this.#configure(sys, lease);
    while (!this.#isReleased()) {
      const { claim } = sys.interfaceStatus(this.interface);
      if (claim === 'assigned') {
        this.#enter('BOUND');
        const { address, prefixLength, server, leaseSeconds } = lease;
        const text = `${formatIpv4(address)}/${prefixLength} from ${formatIpv4(server)} for ${leaseSeconds} s`;
        sys.log(`${this.interface}: ${text}`);
        return true;
      }
      const leftNs = lease.untilNs - sys.nowNs();
      if (claim === 'conflict') yield* this.#decline(sys);
      else if (leftNs <= 0) this.#lose(sys);
      else yield* sys.awaitInterface(this.interface, leftNs);
      if (this.#lease === null) return false;
    }
    return false;
  }

  /** BOUND, RENEWING, REBINDING: as long as there is the lease. */
  *#hold(sys: Syscalls): Blocking<void> {
    let nextNs = this.#lease!.renewNs;
    while (this.#lease !== null) {
      const { linkUp, claim } = sys.interfaceStatus(this.interface);
      const nowNs = sys.nowNs();
      if (claim === 'conflict') yield* this.#decline(sys);
      else if (nowNs >= this.#lease.untilNs) this.#lose(sys);
      else if (!linkUp) nextNs = yield* this.#reconnect(sys, nextNs);
      else if (nowNs >= nextNs) nextNs = yield* this.#renew(sys);
      else yield* sys.awaitInterface(this.interface, nextNs - nowNs);
    }
  }

  /** Asks the server for more time, or after T2 any server. Returns when to ask again. */
  *#renew(sys: Syscalls): Blocking<number> {
    const lease = this.#lease!;
    const rebinds = sys.nowNs() >= lease.rebindNs;
    this.#enter(rebinds ? 'REBINDING' : 'RENEWING');
    const destination = rebinds ? LIMITED_BROADCAST : lease.server;
    const messages = this.#messages(sys);
    const answer = yield* this.#request(sys, 1, destination, secs => messages.renew(lease, secs));
    if (this.#take(sys, answer)) return this.#lease?.renewNs ?? 0;
    const nowNs = sys.nowNs();
    const deadlineNs = rebinds ? lease.untilNs : lease.rebindNs;
    return Math.min(deadlineNs, nowNs + Math.max(MIN_RENEWAL_NS, (deadlineNs - nowNs) / 2));
  }

  /**
   * The link is down. Once it is up, the network there may be another one: the servers are asked whether the address is
   * still good (section 3.2). Where nobody answers, it is used on. Returns when to ask for more time.
   */
  *#reconnect(sys: Syscalls, nextNs: number): Blocking<number> {
    const lease = this.#lease!;
    while (!sys.interfaceStatus(this.interface).linkUp) {
      const leftNs = lease.untilNs - sys.nowNs();
      if (leftNs <= 0 || this.#isReleased()) return nextNs;
      yield* sys.awaitInterface(this.interface, leftNs);
    }
    const former = this.#state;
    this.#enter('REBOOTING');
    const messages = this.#messages(sys);
    const answer = yield* this.#request(sys, REQUEST_ATTEMPTS, LIMITED_BROADCAST, secs => messages.reboot(lease, secs));
    if (this.#take(sys, answer)) return this.#lease?.renewNs ?? 0;
    this.#enter(former);
    return nextNs;
  }

  /** One exchange that ends with an acknowledgement or a refusal; null for neither. */
  #request(
    sys: Syscalls,
    attempts: number,
    destination: number,
    query: (secs: number) => DhcpMessage,
  ): Blocking<Answer | null> {
    return exchange<Answer>(sys, {
      interface: this.interface,
      destination,
      goesOn: attempt => attempt < attempts && !this.#isReleased(),
      query: secs => {
        this.counters.requests += 1;
        return query(secs);
      },
      accept: (reply, askedNs) => {
        const type = typeOf(reply.options);
        if (type === 'DHCPACK') return leaseOf(reply, askedNs);
        if (type !== 'DHCPNAK') return null;
        this.counters.naks += 1;
        return type;
      },
    });
  }

  /** What the answer to somebody with a lease changes. False: nothing, for there was none. */
  #take(sys: Syscalls, answer: Answer | null): boolean {
    const lease = this.#lease;
    if (lease === null) return true;
    if (answer === null) return false;
    if (answer === 'DHCPNAK') {
      this.#lose(sys);
      return true;
    }
    this.#lease = answer;
    this.#enter('BOUND');
    const isSame =
      answer.address === lease.address && answer.prefixLength === lease.prefixLength && answer.router === lease.router;
    if (!isSame) this.#configure(sys, answer);
    return true;
  }

  /** Somebody else has the address: the server shall know. */
  *#decline(sys: Syscalls): Blocking<void> {
    this.counters.declines += 1;
    const message = this.#messages(sys).decline(this.#lease!);
    this.#lose(sys);
    tell(sys, this.interface, message, LIMITED_BROADCAST);
    yield* sys.sleep(DECLINE_WAIT_NS);
  }

  #lose(sys: Syscalls): void {
    this.#lease = null;
    this.#enter('INIT');
    this.#unconfigure(sys);
  }

  #configure(sys: Syscalls, { address, prefixLength, router }: DhcpLease): void {
    const gateway = router === 0 ? {} : { gateway: router };
    sys.configure(this.interface, { address, prefixLength, ...gateway, detectConflicts: true });
  }

  #unconfigure(sys: Syscalls): void {
    sys.configure(this.interface, { address: 0, prefixLength: 0 });
  }

  /** Messages of one exchange. */
  #messages(sys: Syscalls): ClientMessages {
    return new ClientMessages(sys.random() >>> 0, sys.interfaceStatus(this.interface).mac, sys.hostname);
  }

  /** Whether another program has released the lease while this one waited. */
  #isReleased(): boolean {
    return this.#state === 'RELEASED';
  }

  #enter(state: DhcpState): void {
    if (this.#state !== 'RELEASED') this.#state = state;
  }
}

/** 1 to 10 s, by a random word. */
const startNs = (random: number): number =>
  MIN_START_NS + Math.floor(((random >>> 0) / 2 ** 32) * (MAX_START_NS - MIN_START_NS));
