#!/usr/bin/perl
# Puts frames into TAP interfaces one at a time, and tells what comes out because of each:
#
#     perl tap-router.pl INTERFACE INTERFACE
#
# On standard input: a frame's length in four octets, big-endian, the number of the interface in one, and the frame. On
# standard output, for each frame that came in: those that came out, written alike, and then a length of zero. Linux
# forwards a frame within the write that puts it in, so what it sends because of it waits in the interfaces by then.
use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use Fcntl qw(O_RDWR O_NONBLOCK);

# <linux/if_tun.h>
use constant TUNSETIFF => 0x400454ca;
use constant IFF_TAP   => 0x0002;
use constant IFF_NO_PI => 0x1000;
use constant MAX_FRAME_BYTES => 16_384;

sub open_tap {
    my ($interface) = @_;
    sysopen(my $tap, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!\n";
    my $request = pack('a16 s x22', $interface, IFF_TAP | IFF_NO_PI);
    ioctl($tap, TUNSETIFF, $request) or die "TAP interface $interface: $!\n";
    return $tap;
}

sub read_input {
    my ($length) = @_;
    my $octets = '';
    while (length $octets < $length) {
        my $count = sysread(STDIN, $octets, $length - length $octets, length $octets);
        die "standard input: $!\n" if !defined $count && $! != EINTR;
        exit 0 if defined $count && $count == 0;
    }
    return $octets;
}

sub write_output {
    my ($octets) = @_;
    my $at = 0;
    while ($at < length $octets) {
        my $count = syswrite(STDOUT, $octets, length($octets) - $at, $at);
        die "standard output: $!\n" if !defined $count && $! != EINTR;
        $at += $count // 0;
    }
}

# All frames that wait in the interfaces, as they are written to standard output.
sub waiting_frames {
    my @taps = @_;
    my $octets = '';
    for my $index (0 .. $#taps) {
        while (my $length = sysread($taps[$index], my $frame, MAX_FRAME_BYTES)) {
            $octets .= pack('NC', $length, $index) . $frame;
        }
        die "interface $index: $!\n" if $! != EAGAIN;
    }
    return $octets;
}

my @taps = map { open_tap($_) } @ARGV;
while (1) {
    my ($length, $index) = unpack('NC', read_input(5));
    my $frame = read_input($length);
    syswrite($taps[$index], $frame) // die "interface $index: $!\n";
    write_output(waiting_frames(@taps) . pack('NC', 0, 0));
}
