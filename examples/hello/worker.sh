#!/usr/bin/env bash
# Says one line of a file at a time, for ever.
trap 'echo "worker stops"; exit 0' TERM
while true; do
  while read -r line; do
    echo "$line"
    sleep 5 & wait $! # wait, unlike sleep, lets the trap run at once
  done < sayings.txt
done
