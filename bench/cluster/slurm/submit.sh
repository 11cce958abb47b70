#!/bin/bash
# Makes moments in an array of N tasks, and merges them when all are done:
#
#	submit.sh N OUT ARGUMENTS OF convergent moments
#
# It prints the numbers of both jobs. OUT/all.moments is the sum, or, of several layers, a
# folder of them; convergent compare takes either.
set -euo pipefail
n=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out/shards"
array=$(sbatch --parsable --array=0-$((n - 1)) "$here/moments.sbatch" "$out/shards" "$@")
merge=$(sbatch --parsable --dependency=afterok:"$array" --kill-on-invalid-dep=yes "$here/merge.sbatch" "$out/shards" "$out/all.moments")
echo "$array $merge"
