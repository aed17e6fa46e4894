#!/usr/bin/perl
# Carries frames between a TAP interface of Linux and a wire socket of Ringtail:
#
#     perl tap-relay.pl INTERFACE SOCKET
#
# The interface is made when it does not exist, which takes root or a network namespace of one's own; addresses and
# "up" are the caller's business. On the socket each frame is preceded by its length, four octets, big-endian. Perl,
# because it is on every Debian and can make the one ioctl that a TAP interface needs, which Node cannot.
#
# Ends with status 0 when the socket's far end closes or on SIGINT and SIGTERM, with 1 and a message on any failure.
use strict;
use warnings;
use Errno qw(EINTR EAGAIN EIO EPIPE ECONNRESET);
use Fcntl qw(O_RDWR);
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);

# <linux/if_tun.h>: the request, and "Ethernet frames, with nothing before them".
use constant TUNSETIFF => 0x400454ca;
use constant IFF_TAP   => 0x0002;
use constant IFF_NO_PI => 0x1000;
# Longest frame that either side may hand over, and how much is read from the socket at once.
use constant MAX_FRAME_BYTES => 16_384;
use constant READ_BYTES      => 262_144;

die "usage: perl tap-relay.pl INTERFACE SOCKET\n" unless @ARGV == 2;
my ($interface, $path) = @ARGV;

sub fail {
    print STDERR "tap-relay: @_\n";
    exit 1;
}

# The far end has closed, which ends the relay; anything else is a failure.
sub wire_gone {
    exit 0 if $! == EPIPE || $! == ECONNRESET;
    fail("$path: $!");
}

sub open_tap {
    sysopen(my $tap, '/dev/net/tun', O_RDWR) or fail("/dev/net/tun: $!");
    my $request = pack('a16 s x22', $interface, IFF_TAP | IFF_NO_PI);
    ioctl($tap, TUNSETIFF, $request) or fail("TAP interface $interface: $!");
    return $tap;
}

sub connect_wire {
    socket(my $wire, AF_UNIX, SOCK_STREAM, 0) or fail("socket: $!");
    connect($wire, pack_sockaddr_un($path)) or fail("$path: $!");
    return $wire;
}

# Writes all of it, however many calls that takes. Waiting here is the back-pressure: frames then wait in the interface.
sub write_wire {
    my ($wire, $octets) = @_;
    my $at = 0;
    while ($at < length $octets) {
        my $written = syswrite($wire, $octets, length($octets) - $at, $at);
        if (defined $written) { $at += $written }
        elsif ($! != EINTR) { wire_gone() }
    }
}

# A frame goes into the interface whole or not at all. While the interface is down (EIO) it is lost, as on a cut cable.
sub write_tap {
    my ($tap, $frame) = @_;
    until (defined syswrite($tap, $frame)) {
        return if $! == EIO || $! == EAGAIN;
        fail("$interface: $!") if $! != EINTR;
    }
}

# Takes the whole frames off the front of the buffer, and leaves what has not all come yet.
sub frames_of {
    my ($buffer) = @_;
    my ($at, @frames) = (0);
    while (length($$buffer) - $at >= 4) {
        my $length = unpack('N', substr($$buffer, $at, 4));
        fail("$path: a frame of $length octets is announced") if $length == 0 || $length > MAX_FRAME_BYTES;
        last if length($$buffer) - $at - 4 < $length;
        push @frames, substr($$buffer, $at + 4, $length);
        $at += 4 + $length;
    }
    substr($$buffer, 0, $at) = '';
    return @frames;
}

$SIG{INT} = $SIG{TERM} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';
my $wire = connect_wire();
my $tap = open_tap();
my $buffer = '';
my $watched = '';
vec($watched, fileno $_, 1) = 1 for $tap, $wire;

while (1) {
    my $ready = $watched;
    if (select($ready, undef, undef, undef) < 0) {
        next if $! == EINTR;
        fail("select: $!");
    }
    if (vec($ready, fileno $tap, 1)) {
        my $length = sysread($tap, my $frame, MAX_FRAME_BYTES);
        if ($length) { write_wire($wire, pack('N', $length) . $frame) }
        elsif (!defined $length && $! != EINTR && $! != EIO) { fail("$interface: $!") }
    }
    if (vec($ready, fileno $wire, 1)) {
        my $length = sysread($wire, $buffer, READ_BYTES, length $buffer);
        if (!defined $length) { wire_gone() if $! != EINTR }
        elsif ($length == 0) { exit 0 }
        else { write_tap($tap, $_) for frames_of(\$buffer) }
    }
}
