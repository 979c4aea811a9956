<?php
// One customer's whole life in PHP: link, pay, code, refund, unlink. Variables as in ../curl/journey.sh; codes are read
// from the standard input.

declare(strict_types=1);

require __DIR__ . '/direct_debit.php';

function given(string $name): string
{
    $value = getenv($name);
    return $value === false || $value === '' ? exit("set $name\n") : $value;
}

function say(string $text): void
{
    fwrite(STDOUT, "$text\n");
}

function ask_code(string $what): string
{
    fwrite(STDOUT, "$what: ");
    return trim((string) fgets(STDIN));
}

$client = new DirectDebit(
    given('API'),
    given('AWS_REGION'),
    given('AWS_ACCESS_KEY_ID'),
    given('AWS_SECRET_ACCESS_KEY'),
    getenv('AWS_SESSION_TOKEN') ?: null,
);
$reference = given('REFERENCE');

$linking = $client->call('POST', '/bindings', [
    'customerId' => given('CUSTOMER'),
    'phone' => given('PHONE'),
    'successUrl' => 'https://merchant.example/linked',
    'failedUrl' => 'https://merchant.example/not-linked',
]);
$binding = $linking['bindingId'];
say("send the browser to {$linking['redirectUrl']}");
say($client->waitFor("/bindings/$binding", ['ACTIVE', 'FAILED'], 600)['state']);

$payment = $client->call('POST', '/payments', [
    'bindingId' => $binding,
    'partnerReferenceNo' => $reference,
    'remarks' => 'Order 4711',
    'amount' => ['value' => '10000.00', 'currency' => 'IDR'], // strings: a float is not exact
]);
say($payment['state']);
try {
    $client->call('POST', "/payments/$reference/otp", ['otp' => ask_code('code for the payment')]);
} catch (ProblemError $problem) {
    if ($problem->slug !== 'otp-wrong') {
        throw $problem;
    }
    say($problem->getMessage());
    $client->call('POST', "/payments/$reference/otp", ['otp' => ask_code('once more')]);
}
say($client->waitFor("/payments/$reference", ['PAID', 'FAILED', 'NEEDS_REVIEW'], 600)['state']);

$listed = $client->call('GET', '/payments', query: ['limit' => 20, 'customerId' => given('CUSTOMER'), 'state' => 'PAID']);
say(count($listed['payments']) . ' listed');

$client->call('POST', "/payments/$reference/refund", ['reason' => 'Customer complain']);
say($client->waitFor("/payments/$reference/refund", ['REFUNDED', 'FAILED', 'NEEDS_REVIEW'], 600)['state']);

say($client->call('DELETE', "/bindings/$binding")['state']);
say($client->call('POST', "/bindings/$binding/otp", ['otp' => ask_code('code for the unlinking')])['state']);
