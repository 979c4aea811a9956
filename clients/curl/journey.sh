#!/usr/bin/env bash
# One customer's whole life by curl (7.75 or later): link, pay, code, refund, unlink.
#
# Give API (with its stage), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, for a role AWS_SESSION_TOKEN too; and
# CUSTOMER (your id), PHONE (628...), REFERENCE (yours, of the payment). Codes are read from the standard input.
set -euo pipefail

# `pay METHOD PATH [JSON]`: one call. A lost answer, 429 and 5xx are repeated, not before Retry-After: that is safe, since
# REFERENCE names the payment. API Gateway gives up after 29 s; whoever waits less long gives answers away.
pay() {
    local token=()
    if [ -n "${AWS_SESSION_TOKEN:-}" ]; then token=(--header "X-Amz-Security-Token: $AWS_SESSION_TOKEN"); fi
    curl --silent --show-error --connect-timeout 5 --max-time 35 --retry 3 --retry-all-errors \
        --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        "${token[@]}" --header "Content-Type: application/json" \
        --request "$1" "$API$2" ${3:+--data "$3"}
}

# `read_field NAME`: the first string of that name in an answer. Your program has a JSON reader.
read_field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# `wait_for PATH STATE...`: look until a record is in one of these states; prints it.
wait_for() {
    local path=$1 state
    shift
    while true; do
        state=$(pay GET "$path" | read_field state)
        case " $* " in *" $state "*) break ;; esac
        sleep 1
    done
    echo "$path is $state"
}

ask_code() { read -r -p "$1: " code; }

answer=$(pay POST /bindings '{"customerId": "'"$CUSTOMER"'", "phone": "'"$PHONE"'",
    "successUrl": "https://merchant.example/linked", "failedUrl": "https://merchant.example/not-linked"}')
binding=$(echo "$answer" | read_field bindingId)
echo "send the browser to $(echo "$answer" | read_field redirectUrl)"
wait_for "/bindings/$binding" ACTIVE FAILED

pay POST /payments '{"bindingId": "'"$binding"'", "partnerReferenceNo": "'"$REFERENCE"'", "remarks": "Order 4711",
    "amount": {"value": "10000.00", "currency": "IDR"}}' | read_field state
ask_code "code for the payment"
pay POST "/payments/$REFERENCE/otp" '{"otp": "'"$code"'"}' | read_field state
wait_for "/payments/$REFERENCE" PAID FAILED NEEDS_REVIEW
# Parameters in alphabetical order: older curls sign them in the order in which they stand.
pay GET "/payments?customerId=$CUSTOMER&limit=20" | read_field partnerReferenceNo

pay POST "/payments/$REFERENCE/refund" '{"reason": "Customer complain"}' | read_field state
wait_for "/payments/$REFERENCE/refund" REFUNDED FAILED NEEDS_REVIEW

pay DELETE "/bindings/$binding" | read_field state
ask_code "code for the unlinking"
pay POST "/bindings/$binding/otp" '{"otp": "'"$code"'"}' | read_field state
