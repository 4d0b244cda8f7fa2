/**
 * The container that holds the address of a pod with several containers: a static program of a few hundred bytes that sleeps, reaps
 * what is left to it and ends on TERM or INT. Assembled here, so that it needs no registry and no compiler.
 */
import { createHash } from "node:crypto";
import { DriverError } from "../driver.ts";
import { tarOf } from "./tar.ts";

export interface InfraImage {
  /** Named after its bytes: another version of the program is another image. */
  readonly name: string;
  readonly layer: Buffer;
  readonly entrypoint: readonly string[];
}

const LOAD_ADDRESS = 0x400000;
const HEADERS_BYTES = 64 + 56;
/** ELF e_machine. */
const MACHINE: Readonly<Record<string, { readonly id: number; readonly code: () => Buffer }>> = {
  amd64: { id: 62, code: codeForAmd64 },
  arm64: { id: 183, code: codeForArm64 },
};

/** `architecture` as Docker says it. DriverError (not temporary) for one without a program. */
export function infraImage(architecture: string): InfraImage {
  const machine = MACHINE[architecture];
  if (!machine)
    throw new DriverError(
      `pods of several containers need a program for ${architecture}, and there is one only for ${Object.keys(MACHINE).join(" and ")}`,
      { temporary: false, reason: "CreatePodSandboxError" },
    );
  const program = elf(machine.id, machine.code());
  const layer = tarOf([{ path: "infra", type: "file", mode: 0o755, data: program }]);
  const version = createHash("sha256").update(program).digest("hex").slice(0, 12);
  return { name: `styrmann/infra:${version}`, layer, entrypoint: ["/infra"] };
}

/** A 64-bit executable of one segment: headers, then code. */
function elf(machine: number, code: Buffer): Buffer {
  const image = Buffer.alloc(HEADERS_BYTES + code.length);
  image.write("\x7fELF\x02\x01\x01", "latin1");
  image.writeUInt16LE(2, 16); // ET_EXEC
  image.writeUInt16LE(machine, 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(BigInt(LOAD_ADDRESS + HEADERS_BYTES), 24); // entry
  image.writeBigUInt64LE(64n, 32); // program headers' offset
  image.writeUInt16LE(64, 52); // this header's size
  image.writeUInt16LE(56, 54); // a program header's size
  image.writeUInt16LE(1, 56);
  image.writeUInt32LE(1, 64); // PT_LOAD
  image.writeUInt32LE(5, 68); // read, execute
  image.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 80);
  image.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 88);
  image.writeBigUInt64LE(BigInt(image.length), 96);
  image.writeBigUInt64LE(BigInt(image.length), 104);
  image.writeBigUInt64LE(0x10000n, 112); // arm64 kernels may have pages of 64 KiB
  code.copy(image, HEADERS_BYTES);
  return image;
}

/** Bits of INT (2), TERM (15) and CHLD (17) in a kernel signal set. */
const SIGNALS = (1 << 1) | (1 << 14) | (1 << 16);

/** Both programs: block the signals; wait for one; CHLD → wait4 until nothing is left; TERM or INT → exit 0. */
function codeForAmd64(): Buffer {
  const set = [SIGNALS & 0xff, (SIGNALS >> 8) & 0xff, (SIGNALS >> 16) & 0xff, 0];
  const block = [
    ...[0x68, ...set], // push SIGNALS
    ...[0x48, 0x89, 0xe6], // mov rsi, rsp
    ...[0x31, 0xff], // xor edi, edi (SIG_BLOCK)
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x6a, 0x08, 0x41, 0x5a], // push 8; pop r10
    ...[0x6a, 0x0e, 0x58], // push 14; pop rax (rt_sigprocmask)
    ...[0x0f, 0x05], // syscall
  ];
  const wait = [
    ...[0x48, 0x89, 0xe7], // mov rdi, rsp
    ...[0x31, 0xf6], // xor esi, esi
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x6a, 0x08, 0x41, 0x5a], // push 8; pop r10
    ...[0xb8, 0x80, 0x00, 0x00, 0x00], // mov eax, 128 (rt_sigtimedwait)
    ...[0x0f, 0x05], // syscall
    ...[0x83, 0xf8, 0x11], // cmp eax, 17
    ...[0x74, 0x0d], // je reap
    ...[0x85, 0xc0], // test eax, eax
  ];
  const again = [0x78, -(wait.length + 2) & 0xff]; // js wait (interrupted)
  const exit = [
    ...[0x31, 0xff], // xor edi, edi
    ...[0xb8, 0xe7, 0x00, 0x00, 0x00], // mov eax, 231 (exit_group)
    ...[0x0f, 0x05], // syscall
  ];
  const reap = [
    ...[0x83, 0xcf, 0xff], // or edi, -1
    ...[0x31, 0xf6], // xor esi, esi
    ...[0x6a, 0x01, 0x5a], // push 1; pop rdx (WNOHANG)
    ...[0x45, 0x31, 0xd2], // xor r10d, r10d
    ...[0x6a, 0x3d, 0x58], // push 61; pop rax (wait4)
    ...[0x0f, 0x05], // syscall
    ...[0x85, 0xc0], // test eax, eax
  ];
  const more = [0x7f, -(reap.length + 2) & 0xff]; // jg reap
  const back = wait.length + again.length + exit.length + reap.length + more.length + 2;
  return Buffer.from([...block, ...wait, ...again, ...exit, ...reap, ...more, 0xeb, -back & 0xff]); // jmp wait
}

function codeForArm64(): Buffer {
  const svc = 0xd4000001;
  const set = (register: number, value: number): number => 0xd2800000 + value * 32 + register; // movz
  const addressOfStack = (register: number): number => 0x910003e0 + register; // mov xR, sp
  const block = [
    set(0, SIGNALS & 0xffff),
    0xf2a00000 + (SIGNALS >> 16) * 32, // movk x0, #…, lsl 16
    0xf81f0fe0, // str x0, [sp, #-16]!
    ...[set(0, 0), addressOfStack(1), set(2, 0), set(3, 8), set(8, 135), svc], // rt_sigprocmask
  ];
  const wait = [
    ...[addressOfStack(0), set(1, 0), set(2, 0), set(3, 8), set(8, 137), svc], // rt_sigtimedwait
    0x7100001f + 17 * 1024, // cmp w0, #17
    0x54000000 + 5 * 32, // b.eq reap, five words on
  ];
  const again = [0x37f80000 + ((-wait.length & 0x3fff) << 5)]; // tbnz w0, #31, wait
  const exit = [set(0, 0), set(8, 94), svc]; // exit_group
  const reap = [
    ...[0x92800000, set(1, 0), set(2, 1), set(3, 0), set(8, 260), svc], // x0 = -1; wait4, WNOHANG
    0x7100001f, // cmp w0, #0
  ];
  const more = [0x54000000 + ((-reap.length & 0x7ffff) << 5) + 12]; // b.gt reap
  const back = wait.length + again.length + exit.length + reap.length + more.length;
  const words = [...block, ...wait, ...again, ...exit, ...reap, ...more, 0x14000000 + (-back & 0x3ffffff)]; // b wait
  const code = Buffer.alloc(words.length * 4);
  for (const [at, word] of words.entries()) code.writeUInt32LE(word >>> 0, at * 4);
  return code;
}
