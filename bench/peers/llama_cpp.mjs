// One round of llama.cpp on one model: speeds of "pp" and "tg" tests as JSON on standard output.
// Called by peers.py in the folder where npm installed node-llama-cpp.
//
//   node llama_cpp.mjs MODEL THREADS TEST...        e.g. m.gguf 2 pp128 pp512 tg32
//
// It talks to the package's binding (context._ctx) and not to its sequences, whose bookkeeping per
// token would be counted as llama.cpp's: what is timed is llama_decode() on a thread of libuv. The
// protocol is llama-bench's: fixed ids, logits of the last token only, an empty context each time,
// one uncounted run before the counted one.

import fs from "node:fs";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [modelPath, threads, ...tests] = process.argv.slice(2);
const kBatchTokens = 512;  // llama-bench's -ub

const said = [];  // what llama.cpp logs while it loads
const llama = await getLlama({
  gpu: false, build: "never", logLevel: LlamaLogLevel.debug,
  logger: (level, message) => said.push(message),
});
const model = await llama.loadModel({modelPath});
const longest = Math.max(...tests.map((test) => Number(test.slice(2))));
const context = await model.createContext({
  contextSize: longest + 1, batchSize: kBatchTokens, sequences: 1, flashAttention: "auto",
});
const binding = context._ctx;
binding.setThreads(Number(threads));

const ids = Uint32Array.from({length: longest}, (_, i) => 300 + (i * 7919) % 20000);

// Feeds ids [start, end) as batches of at most kBatchTokens; logits of the last of them.
async function feed(start, end) {
  for (let at = start; at < end; at += kBatchTokens) {
    const piece = ids.subarray(at, Math.min(end, at + kBatchTokens));
    const last = at + piece.length === end ? [piece.length - 1] : [];
    binding.initBatch(piece.length);
    binding.addToBatch(0, at, piece, Uint32Array.from(last));
    await binding.decodeBatch();
  }
}

async function run(test) {
  const count = Number(test.slice(2));
  binding.disposeSequence(0);
  const start = process.hrtime.bigint();
  if (test.startsWith("pp")) await feed(0, count);
  else for (let at = 0; at < count; ++at) await feed(at, at + 1);
  return count / (Number(process.hrtime.bigint() - start) * 1e-9);
}

await run("tg1");
await new Promise((resolve) => setTimeout(resolve, 100));  // log lines come late
llama.logLevel = LlamaLogLevel.disabled;

const speeds = {};
for (const test of tests) {
  await run(test);
  speeds[test] = await run(test);
}
const find = (pattern) => said.join("").match(pattern)?.[1] ?? null;
fs.writeFileSync(1, JSON.stringify({
  speeds,
  threads: binding.getThreads(),
  release: llama.llamaCppRelease.release,
  variant: find(/libggml-cpu-(\w+)/),
  flash_attention: find(/Flash Attention[^\n]*\b(enabled|disabled)/) ?? "unknown",
  mmap: llama.supportsMmap,
}) + "\n");
process.exit(0);
