# Makes words, counts them, sorts, splits and joins them. Arguments: words, seed.
use strict;
use warnings;

my ($size, $seed) = @ARGV;
srand($seed);
my (%count, %by_letter, @lines);
for my $i (1 .. $size) {
    my $word = join '', map { chr(97 + int rand 26) } 1 .. 3 + int rand 4;
    $count{$word}++;
    push @{$by_letter{substr $word, 0, 1}}, {word => $word, at => $i};
    push @lines, "$i:$word:" . reverse $word if $i % 4 == 0;
}
my @sorted = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
my %parts;
for my $line (@lines) {
    my ($at, $word, $turned) = split /:/, $line;
    $parts{$turned} = [$at, uc $word] if $word =~ /^(\w)(\w+)$/ && $1 ne 'q';
}
my $text = join ' ', map { $_->{word} } map { @{$by_letter{$_}} } sort keys %by_letter;
$text =~ s/(\w+) (\w+)/$2 $1/g;
print scalar(@sorted), ' ', scalar(keys %parts), ' ', length $text, "\n";
