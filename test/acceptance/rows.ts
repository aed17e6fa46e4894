/**
 * What the network has to do to be called right, row by row: requirements of the RFCs, and cases that other stacks have
 * got wrong. A row is shown by the tests whose titles begin with its ID; `docs/acceptance.md` is the table of both.
 */

export interface Row {
  readonly id: string;
  readonly level: 'must' | 'should';
  /** What has to hold. */
  readonly text: string;
}

export interface Family {
  readonly name: string;
  readonly title: string;
  /** Every row has its tests, and must keep them. False: rows without a test are shown as such, and fail nothing. */
  readonly complete: boolean;
  readonly rows: readonly Row[];
}

type Requirement = Omit<Row, 'id'>;

const must = (text: string): Requirement => ({ level: 'must', text });
const should = (text: string): Requirement => ({ level: 'should', text });

/** IDs are the name of the family and a number from 1; `separator` is between them. */
function family(
  name: string,
  title: string,
  complete: boolean,
  requirements: readonly Requirement[],
  separator = '-',
): Family {
  return { name, title, complete, rows: requirements.map((row, i) => ({ id: `${name}${separator}${i + 1}`, ...row })) };
}

export const FAMILIES: readonly Family[] = [
  family('9293', 'RFC 9293, Transmission Control Protocol', true, [
    must('Checksums are made and checked; a segment with a wrong one is dropped, counted, and not answered.'),
    must('A port where nobody is answers a segment with a reset that its sender believes, and never answers a reset.'),
    must('LISTEN ignores RST, resets ACKs, answers SYNs; data and FIN that ride on the SYN are not lost.'),
    must('SYN-SENT resets what acknowledges something else, and believes a RST only with an acceptable ACK.'),
    must(
      'A simultaneous open is established; a RST in SYN-RECEIVED sends a listener back to LISTEN, and refuses a connect.',
    ),
    must('The four cases of acceptability decide; what is not acceptable gets a bare ACK and changes nothing.'),
    must('A segment that reaches over an edge of the window is trimmed; data and FIN beyond it are not taken.'),
    must(
      'An ACK of what was never sent is answered and dropped, an old one ignored; only newer segments set the window.',
    ),
    must('Who closes first stays in TIME-WAIT for 2 MSL; a repeated FIN is acknowledged again and restarts it.'),
    must('The program can tell the end of the stream from a reset.'),
    should('Closing with unread data sends a reset.'),
    must('Half close: FIN-WAIT-2 still receives, CLOSE-WAIT still sends.'),
    must('A FIN behind a hole waits until the hole is filled; data beyond a FIN are ignored.'),
    must('A simultaneous close goes through CLOSING to TIME-WAIT on both sides.'),
    must(
      'The MSS option is sent and counts in SYNs only; 536 without it; segments are as long as peer, path and options allow.',
    ),
    must(
      'Options are read at any place; unknown kinds are passed over by their length; bad lengths do no harm; padding is zero.',
    ),
    must('The window is an unsigned number: all of 65535 can be used.'),
    must('A closed window is probed after the RTO, then at doubled intervals, for ever while probes are answered.'),
    must('When the peer shrinks its window nothing new is sent beyond it; the own right edge never moves left.'),
    must('At a closed receive window RST, URG and ACK still count.'),
    must('The sender avoids silly windows; Nagle holds small segments back; TCP_NODELAY switches that off.'),
    must('The receiver moves its edge by a full segment or half of the buffer, or not at all.'),
    must('ACKs are delayed for less than half a second, and by one full segment at most.'),
    must('Segments that are handled together are acknowledged together.'),
    should('What arrives behind a hole is kept.'),
    must('RTO by samples, Karn, backoff, slow start and congestion avoidance are all there.'),
    must('R1 retransmissions warn, R2 ends with ETIMEDOUT: 100 s for data, 3 min for a SYN; the program may set it.'),
    must('Keep-alive is off unless asked for, waits for two hours of silence, and forgives lost probes.'),
    must('ICMP unreachable (net, host), time exceeded and parameter problem end nothing, and reach the program.'),
    should('Protocol or port unreachable about a segment in flight ends the connection; source quench is ignored.'),
    must('A SYN to or from a broadcast, a group or nobody is dropped in silence; connecting to one is refused.'),
    must('Listeners and connections share a port; the local address is chosen before the SYN, and kept.'),
    must('PSH is on the last segment of a write, and nothing is held back for ever.'),
    must('The urgent pointer stands behind urgent data of any length, and the program is told.'),
    must('TTL and TOS are set per socket; unknown IP options are ignored (source routes are not supported).'),
    must('Sequence numbers are compared modulo 2^32 everywhere.'),
  ]),
  family('6298', "RFC 6298, TCP's retransmission timer", true, [
    must('1 s before any sample; the first sets SRTT = R, RTTVAR = R/2, RTO = SRTT + max(G, 4 RTTVAR).'),
    must('Later samples change RTTVAR by a quarter first, then SRTT by an eighth.'),
    should('The RTO is at least 1 s; its limit is 60 s or more.'),
    must('What was sent twice gives no sample, unless timestamps say which copy arrived.'),
    must('The timer starts when it is idle, restarts when new data are acknowledged, stops when all are.'),
    must('Expiry sends the earliest segment alone and doubles the RTO.'),
    must('After a lost SYN the RTO is 3 s when data begin.'),
  ]),
  family('5681', 'RFC 5681, TCP congestion control', true, [
    must('The initial window is two, three or four segments by their size; one after a lost SYN.'),
    must('Slow start adds what was acknowledged, at most a segment; avoidance a segment in a round trip.'),
    must('A loss makes ssthresh half of the flight, two segments at least; not again for a repeated timeout.'),
    must('A timeout leaves a window of one segment.'),
    should('Three duplicates: retransmit, inflate, and deflate when new data are acknowledged.'),
    must('A duplicate has no data, SYN or FIN, the same ACK and window, and something is outstanding.'),
    should('Each of the first two duplicates lets one new segment go.'),
    should('What arrives behind a hole, and what fills it, is acknowledged at once.'),
    should('After more idle time than the RTO the window is no larger than the initial one.'),
  ]),
  family('6582', 'RFC 6582, NewReno', true, [
    must('Recovery remembers the highest number sent; duplicates up to it do not enter it again.'),
    must('A partial ACK repairs the next hole and deflates the window; only the first restarts the timer.'),
    must('A full ACK leaves recovery with a window of ssthresh, or less.'),
    must('A timeout leaves recovery, and sets the mark to what was sent.'),
  ]),
  family('2018', 'RFC 2018, selective acknowledgement', true, [
    must('SACK-permitted is in SYNs only; no block is sent unless the peer permitted it.'),
    must(
      'The first block holds the segment just received, then the most recent others; four at most, three with timestamps.',
    ),
    must('Blocks lie above the ACK and inside the window, but for a D-SACK (RFC 2883), which comes first.'),
    should(
      'The sender passes over what was SACKed, forgets it at a timeout, and frees nothing before it is acknowledged.',
    ),
  ]),
  family('7323', 'RFC 7323, extensions for high performance', true, [
    must(
      'Window scale is in SYNs only and takes both sides; a shift is at most 14; the window of a SYN is not scaled.',
    ),
    must('Rounding by the scale never moves the right edge left.'),
    must('Once agreed on, timestamps are in every segment but a RST; the echo counts only with an ACK.'),
    must('TS.Recent is that of the earliest segment not yet acknowledged, and never goes back.'),
    must('PAWS: an older timestamp is answered and dropped, a RST excepted; TS.Recent is worth nothing after 24 days.'),
    should('On a connection with timestamps a segment without is dropped in silence, a RST excepted.'),
    must('Twelve octets of options come off a segment: 1448 of data on an MTU of 1500.'),
  ]),
  family('5961', "RFC 5961, TCP's robustness to blind attacks", true, [
    must('A RST at RCV.NXT resets, one elsewhere in the window is challenged, one outside is dropped.'),
    must('A SYN on a synchronized connection is challenged, whatever its number.'),
    should('Data count only with an ACK between SND.UNA - MAX.SND.WND and SND.NXT.'),
    should('Challenge ACKs are limited, each connection by itself.'),
  ]),
  family('6528', 'RFC 6528, initial sequence numbers', true, [
    should(
      'ISN: a clock of 4 us and a keyed hash of the endpoints; it grows for the same, differs for others, repeats with the seed.',
    ),
  ]),
  family('sharp', 'Sharp cases', true, sharpCases(), ' '),
  family('FRAG', 'Fragmentation and reassembly (RFC 791, 815, 1122, 1858, 3128, 5722)', true, [
    must(
      'Offsets count 8 octets; all fragments but the last are a multiple of that; source, destination, protocol and ID make the key.',
    ),
    must('Fragments arrive in any order, twice, or cut again; DF on what does not fit gets ICMP 3/4 with the MTU.'),
    must(
      'Datagrams up to 65535 are put together; the time is limited; its end is told by ICMP 11/1 if the first fragment is there.',
    ),
    must('Holes: the last fragment first, gaps filled from both sides, overlaps swallowed.'),
    should('An exact duplicate is ignored; any other overlap spoils the datagram.'),
    must('Tiny fragments and overlapping headers of TCP are filtered.'),
    must('Nothing longer than 65535 is put together; memory is limited, and the oldest goes first.'),
    must('NAT and filters tell later fragments by their ID, for only the first has ports.'),
  ]),
  family('1122', 'RFC 1122, hosts', true, [
    must('Wrong version, checksum or lengths: dropped in silence; padding of the link is ignored.'),
    must('A host drops what is for somebody else in silence.'),
    must('No ICMP error about an ICMP error, a broadcast, a group, a later fragment, or from no single source.'),
    must('Echo replies bring back data, ID and number from the address asked, fragmented requests among them.'),
    must('A closed UDP port answers ICMP 3/3; checksum 0 is accepted, a computed 0 sent as FFFF.'),
    must('127/8 is never on the wire, in or out; 0.0.0.0 is for booting only.'),
    must('A redirect counts only from the gateway in use, and changes the route for that host.'),
    must(
      'ARP entries time out; a packet waits for an answer, requests are a second apart, then the host is unreachable.',
    ),
  ]),
  family('1812', 'RFC 1812, routers', true, [
    must('TTL 1 is not forwarded, and told by ICMP 11/0; for the router itself it is good.'),
    must('The longest prefix wins; no route is told by 3/0, a dead neighbour by 3/1.'),
    must('TTL goes down, and the checksum is updated for it (RFC 1624).'),
    must('Fragments for a smaller MTU copy the options that ask for it; DF gets 3/4 with the MTU (RFC 1191).'),
    must(
      'ICMP errors quote as much as fits into 576 octets, have precedence 6 or 7, and the address of an own interface.',
    ),
    should('ICMP errors are limited in number.'),
    should('Forwarding out of the same interface tells the host by a redirect, and is done.'),
    should('Martian sources and destinations are dropped; the reverse path can be checked.'),
    must('The limited broadcast is never forwarded, a directed one only if told so (RFC 2644).'),
    must('A wrong checksum, or a broadcast of the link, is not forwarded.'),
    must('Paths of equal cost keep flows together; an interface that is down takes its routes along.'),
  ]),
  family('826', 'RFC 826, ARP', true, [
    must('Only the own address is answered; the sender is merged, and added if it asks for this host.'),
    must('Hardware type, protocol and lengths are checked.'),
  ]),
  family('5227', 'RFC 5227, address conflicts', true, [
    must('Three probes from 0.0.0.0; a claim or another probe of the address is a conflict.'),
    must('Two announcements; gratuitous ARP updates the neighbours.'),
    must('The address is defended once in ten seconds, then given up.'),
  ]),
  family('SW', 'Switches', true, [
    must('Addresses are learnt, aged and moved; what is unknown is flooded; nothing goes out where it came in.'),
  ]),
  family('792', 'RFC 792, ICMP', true, [
    must('Types 0, 3, 5, 8, 11 and 12 are built and read; unknown ones dropped in silence.'),
    must('Unused octets are zero; the checksum covers an odd length.'),
    must('An unknown protocol gets 3/2; a parameter problem points at the octet.'),
  ]),
  family('NAT', 'Network address translation (RFC 4787, 5382, 5508)', true, [
    must('The mapping does not depend on the remote endpoint.'),
    should('Filtering does not depend on it either unless asked to, and never changes by itself.'),
    must('Hairpin: an inside host reaches another by the outside address, and is seen by its own.'),
    must('UDP mappings live two minutes or more, and are renewed from inside.'),
    must('Idle TCP connections live 2 h 4 min, opening and closing ones 4 min, ICMP queries 60 s.'),
    should('Port range and parity are kept; no port is shared.'),
    must('A simultaneous open passes; what fits no state is dropped.'),
    must('An unsolicited SYN waits 6 s in silence, then gets ICMP 3/3 unless one from inside has met it.'),
    must('An ICMP error neither ends nor renews a mapping.'),
    must('ICMP errors are translated outside and inside of the quote, checksums too; unmapped ones dropped.'),
    should('ICMP errors with bad checksums are dropped; options in the quote are passed over.'),
    must('DF on what does not fit is told inwards by 3/4; fragments pass in any order.'),
    should('When no port is left, ICMP 3/13 says so.'),
    must('A UDP checksum of 0 stays; all others are updated by difference, and right.'),
  ]),
  family('FW', 'Filter', true, [
    must(
      'The first match decides, then the policy; replies pass, invalid ones do not; rejects are told by RST or ICMP; all is counted.',
    ),
  ]),
];

/** Cases in which other stacks have gone wrong. */
function sharpCases(): Requirement[] {
  return [
    'SYN, data and FIN cross 2^32.',
    'A SACK block spans 2^32.',
    'The right edge of the window lies behind 2^32: its last octet is taken, the next is not.',
    'A segment fills the window exactly; one octet more is trimmed, not dropped.',
    'Without data, RCV.NXT + RCV.WND is not acceptable while there is a window; RCV.NXT is when there is none.',
    'A probe is refused, the ACK that opens the window is lost: the next probe ends the deadlock.',
    'A probe octet is accepted, then the window opens: it is delivered once.',
    'Probes back off to 60 s, and the connection is alive after an hour.',
    'A FIN without data is taken at a closed window.',
    'A FIN behind data beyond the window: the data are trimmed, the FIN is not processed.',
    'A FIN that is sent again with the last data keeps its number.',
    'Data and FIN in one segment, only the data acknowledged: the FIN alone is sent again.',
    'A lost FIN is sent again in FIN-WAIT-1, CLOSING and LAST-ACK; LAST-ACK ends in bounded time.',
    'Simultaneous open.',
    'Simultaneous open, one SYN,ACK lost.',
    'Simultaneous close, both FINs with data.',
    'A socket that connects to itself.',
    'An old duplicate SYN before the real one (RFC 9293, figure 8).',
    'Half open: after a reboot data are reset, and a SYN is challenged until the next try succeeds.',
    'TIME-WAIT: a FIN is acknowledged again, a RST does not end it, a SYN that is newer opens, an older one does not.',
    'A RST at RCV.NXT, one further, at the right edge, and one beyond.',
    'A blind SYN gets one challenge ACK; two peers that challenge each other fall silent.',
    'A RST with data; a RST without ACK in SYN-SENT.',
    'A reader that takes an octet at a time from a full buffer of 64 KiB opens no silly window.',
    'A sender with a tiny window and without Nagle sends runts only when the override timer says so.',
    'Nagle and delayed ACKs: write, write, read stalls, and does not with TCP_NODELAY.',
    'The window shrinks below SND.NXT: nothing is sent, nothing ends.',
    'An old segment does not set the window.',
    'The same ACK with another window is no duplicate.',
    'An ACK of what was never sent.',
    'Five losses double the RTO each time; Karn keeps the mean; timestamps allow a sample.',
    'The ACK of a retransmission restarts the timer; duplicates do not.',
    'Three losses in one window: NewReno repairs one a round trip with one cut, SACK all in one round trip.',
    'Duplicates after a timeout do not start fast retransmit.',
    'Reordering by two and by three; limited transmit; a lost retransmission is found by the RTO.',
    'All 120 orders of five segments, and overlaps: the same octets once; the first copy wins.',
    'PAWS drops an old duplicate after the numbers have wrapped; a segment behind a hole is no clock; a RST passes.',
    'Options with bad lengths, MSS 0, shift 15, SACK-permitted outside of a SYN, timestamps that are missing.',
    'ICMP 3/4 with an MTU of 0, of 68, larger than now, or about nothing in flight; black holes; options shorten segments.',
    'Full queues, all ports, close with data queued, linger 0: memory is back at the start after TIME-WAIT.',
  ].map(must);
}
