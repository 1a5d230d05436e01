#!/usr/bin/perl
# Says how many seconds all workers have counted, and who answers. Listens where HOST and PORT say.
use strict;
use warnings;
use IO::Socket::INET;

my $socket = IO::Socket::INET->new(LocalAddr => $ENV{HOST}, LocalPort => $ENV{PORT}, Listen => 128, ReuseAddr => 1)
    or die "cannot listen on $ENV{HOST}:$ENV{PORT}: $@";

$SIG{CHLD} = 'IGNORE';
while (1) {
    my $visitor = $socket->accept or next;
    my $child = fork // die "fork: $!";
    if (!$child) { answer($visitor); exit 0 }
    close $visitor;
}

sub answer {
    my ($visitor) = @_;
    while (my $line = <$visitor>) { last if $line =~ /^\r?\n$/ }
    my $counted = open(my $file, '<', "$ENV{SHARED_DIR}/counter/seconds");
    my $body = $counted ? do { my @lines = <$file>; @lines . " seconds counted\n" } : "release phase has not run\n";
    $body .= "answered by $ENV{SERVER_NAME}, release $ENV{RELEASE}\n";
    my $status = $counted ? '200 OK' : '503 Service Unavailable';
    print $visitor "HTTP/1.1 $status\r\nContent-Type: text/plain\r\nContent-Length: ", length $body,
        "\r\nConnection: close\r\n\r\n$body";
    close $visitor;
}
