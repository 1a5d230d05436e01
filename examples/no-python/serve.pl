#!/usr/bin/perl
# Serves public/ with what every Debian has. /healthz says that it works; X-Served-By says which server answered.
use strict;
use warnings;
use IO::Socket::INET;

my %TYPES = (html => 'text/html; charset=utf-8', css => 'text/css', txt => 'text/plain; charset=utf-8');
my $served_by = "$ENV{SERVER_NAME}, release $ENV{RELEASE}";

my $socket = IO::Socket::INET->new(
    LocalAddr => $ENV{PRIVATE_IP}, LocalPort => $ENV{NODE_PORT}, Listen => 128, ReuseAddr => 1,
) or die "cannot listen on $ENV{PRIVATE_IP}:$ENV{NODE_PORT}: $@";

$SIG{CHLD} = 'IGNORE';
while (1) {
    my $visitor = $socket->accept or next;
    my $child = fork // die "fork: $!";
    if (!$child) { answer($visitor); exit 0 }
    close $visitor;
}

sub answer {
    my ($visitor) = @_;
    my $request = <$visitor> // return;
    while (my $header = <$visitor>) { last if $header =~ /^\r?\n$/ }
    my ($path) = $request =~ m{^GET (/[\w./-]*)};
    my ($status, $type, $body) = page($path // '');
    print $visitor "HTTP/1.1 $status\r\nContent-Type: $type\r\nContent-Length: ", length $body,
        "\r\nX-Served-By: $served_by\r\nConnection: close\r\n\r\n$body";
    close $visitor;
}

sub page {
    my ($path) = @_;
    return ('200 OK', $TYPES{txt}, "ok\n") if $path eq '/healthz';
    $path = '/index.html' if $path eq '/';
    my ($ending) = $path =~ /\.(\w+)$/;
    if ($path !~ /\.\./ && $ending && $TYPES{$ending} && open my $file, '<:raw', "public$path") {
        local $/;
        return ('200 OK', $TYPES{$ending}, scalar <$file>);
    }
    return ('404 Not Found', $TYPES{txt}, "There is no such page.\n");
}
