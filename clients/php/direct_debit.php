<?php
// A client of the CIMB direct debit API in one file: PHP 8.2 or later with its curl extension, nothing else.

declare(strict_types=1);

/** The API refused: `slug` says what happened (docs/errors.md), `problem` is the whole answer. */
final class ProblemError extends RuntimeException
{
    public readonly ?string $slug;

    /** @param array<string, mixed> $problem */
    public function __construct(public readonly int $status, public readonly array $problem)
    {
        $path = (string) parse_url((string) ($problem['type'] ?? ''), PHP_URL_PATH);
        $slug = basename($path);
        $this->slug = $slug === '' || $slug === 'blank' ? null : $slug;
        parent::__construct("[$status, $slug] " . ($problem['detail'] ?? $problem['message'] ?? 'no detail'));
    }
}

/** No answer came, after all tries. The request may have been carried out: the same again can not be done twice. */
final class AnswerLost extends RuntimeException
{
}

final class DirectDebit
{
    private const TRIES = 4;
    private const LONGEST_WAIT = 20;

    public function __construct(
        private readonly string $api, // with its stage
        private readonly string $region,
        private readonly string $keyId,
        #[SensitiveParameter] private readonly string $secret,
        #[SensitiveParameter] private readonly ?string $sessionToken = null,
    ) {
    }

    /**
     * One call; returns the answer. The same is sent again after a lost answer, 429 and 5xx, not before `Retry-After`:
     * that is safe, since a payment is named by its partnerReferenceNo or its Idempotency-Key. A 202 is an answer.
     *
     * @param array<string, mixed>|null $body
     * @param array<string, string|int> $query
     * @return array<string, mixed>
     */
    public function call(
        string $method,
        string $path,
        ?array $body = null,
        ?string $idempotencyKey = null,
        array $query = [],
    ): array {
        if ($query !== []) {
            ksort($query); // older curls sign the parameters in the order in which they stand
            $path .= '?' . http_build_query($query, '', '&', PHP_QUERY_RFC3986);
        }
        for ($number = 1; ; $number++) {
            [$status, $retryAfter, $text] = $this->send($method, $path, $body, $idempotencyKey);
            $answer = json_decode($text, true);
            $answer = is_array($answer) ? $answer : [];
            if ($status >= 200 && $status < 300) {
                return $answer;
            }
            $repeatable = in_array($status, [0, 429, 500, 502, 503, 504], true);
            $wait = max(2 ** ($number - 2), $retryAfter);
            if (!$repeatable || $number >= self::TRIES || $wait > self::LONGEST_WAIT) {
                $lost = in_array($status, [0, 502, 504], true);
                throw $lost ? new AnswerLost("$method $path") : new ProblemError($status, $answer);
            }
            usleep((int) ($wait * 1_000_000 * (1 + random_int(0, 500) / 1000)));
        }
    }

    /**
     * Looks until a record is in one of these states, at most so many seconds; returns it as it was seen last.
     *
     * @param list<string> $states
     * @return array<string, mixed>
     */
    public function waitFor(string $path, array $states, int $seconds): array
    {
        $end = hrtime(true) + $seconds * 1_000_000_000;
        for ($pause = 1.0; ; $pause = min($pause * 1.5, 15.0)) {
            $seen = $this->call('GET', $path);
            if (in_array($seen['state'] ?? null, $states, true) || hrtime(true) >= $end) {
                return $seen;
            }
            usleep((int) ($pause * 1_000_000));
        }
    }

    /** @return array{int, int, string} status (0: no answer), seconds of Retry-After, body */
    private function send(string $method, string $path, ?array $body, ?string $idempotencyKey): array
    {
        $retryAfter = 0;
        $headers = ['Content-Type: application/json'];
        if ($this->sessionToken !== null) {
            $headers[] = "X-Amz-Security-Token: $this->sessionToken";
        }
        if ($idempotencyKey !== null) {
            $headers[] = "Idempotency-Key: $idempotencyKey";
        }
        $curl = curl_init($this->api . $path);
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_AWS_SIGV4 => "aws:amz:$this->region:execute-api",
            CURLOPT_USERPWD => "$this->keyId:$this->secret",
            CURLOPT_HTTPHEADER => $headers,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 5,
            CURLOPT_TIMEOUT => 35, // API Gateway gives up after 29 s
            CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$retryAfter): int {
                if (preg_match('/^retry-after:\s*(\d+)/i', $line, $found)) {
                    $retryAfter = (int) $found[1];
                }
                return strlen($line);
            },
        ]);
        if ($body !== null) {
            curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode((object) $body, JSON_THROW_ON_ERROR));
        }
        $text = curl_exec($curl);
        $status = $text === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        return [$status, $retryAfter, $text === false ? '' : $text];
    }
}

/** The first header of that name, whatever its letters. @param array<string, string> $headers */
function read_header(array $headers, string $name): string
{
    return array_change_key_case($headers, CASE_LOWER)[$name] ?? '';
}

/**
 * Verifies a webhook by the Standard Webhooks convention; returns its event, or null: answer that with 400.
 *
 * @param string $body exactly as it came: file_get_contents('php://input')
 * @param array<string, string> $headers getallheaders()
 * @param list<string> $secrets whsec_...; two while one is replaced
 * @return array<string, mixed>|null type, timestamp, data
 */
function read_webhook(string $body, array $headers, #[SensitiveParameter] array $secrets, ?int $now = null): ?array
{
    $id = read_header($headers, 'webhook-id');
    $timestamp = read_header($headers, 'webhook-timestamp');
    if ($id === '' || !ctype_digit($timestamp) || abs(($now ?? time()) - (int) $timestamp) > 300) {
        return null;
    }
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || $key === '') {
            throw new InvalidArgumentException('a webhook secret is whsec_ and base64');
        }
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', read_header($headers, 'webhook-signature')) as $signature) {
            if (hash_equals($expected, $signature)) {
                $event = json_decode($body, true);
                return is_array($event) ? $event : null;
            }
        }
    }
    return null;
}
