import { type HashInstance, newHash, STATE_LENGTH } from '../io/hash-module.js';
import { ownMemory, WASM_PAGE } from '../io/page-memory.js';

const ACCUMULATORS_AT = 8;
const BUFFER_AT = 40;
const BUFFERED_COUNT_AT = 72;
const STRIPE = 32;
const ACCUMULATORS_LENGTH = 32;

/** Memory of windows: a page for the hash, then places of `stride` bytes each. */
export interface Places {
  readonly memory: WebAssembly.Memory;
  readonly stride: number;
}

/**
 * A window: the memory that a piece of a file is read into, walked over, hashed in and written from, without a copy. It
 * is the memory of an XXH64 WebAssembly instance, so hashing happens in place. WebAssembly memory is page-aligned,
 * which reads and writes want. Memory that threads share has several places; the window is at one of them.
 *
 * Invariant: between calls the hash state is that of a plain XXH64 (seed 0) over all bytes added since `reset` or
 * `restore`. It can be saved, kept in a file, and restored in another process, so a chunk that grows with every sync is
 * never read twice for its hash.
 */
export class Window {
  /** The bytes to read into. */
  bytes: Uint8Array;
  view: DataView;
  private at = WASM_PAGE;
  private second: Window | undefined;
  private readonly places: Places;
  private readonly hash: HashInstance;
  private readonly state: Uint8Array;
  private readonly stateView: DataView;

  /** `size` in bytes. The window is at the first of the places, or at the only one of its own memory. */
  constructor(
    readonly size: number,
    places?: Places,
  ) {
    this.places = places ?? { memory: ownMemory(WASM_PAGE + size), stride: size };
    const { memory } = this.places;
    this.hash = newHash(memory);
    this.bytes = new Uint8Array(memory.buffer, WASM_PAGE, size);
    this.view = new DataView(memory.buffer, WASM_PAGE, size);
    this.state = new Uint8Array(memory.buffer, 0, STATE_LENGTH);
    this.stateView = new DataView(memory.buffer, 0, STATE_LENGTH);
    this.reset();
  }

  /** A second window of the same size, the same one each time: memory of windows is expensive to make and to give up. */
  get twin(): Window {
    this.second ??= new Window(this.size);
    return this.second;
  }

  /** Moves to another place of its memory and leaves the bytes behind. The hash continues. */
  moveTo(place: number): void {
    const { memory, stride } = this.places;
    const at = WASM_PAGE + place * stride;
    if (at === this.at) return;
    this.at = at;
    this.bytes = new Uint8Array(memory.buffer, at, this.size);
    this.view = new DataView(memory.buffer, at, this.size);
  }

  /** Begins a new hash. */
  reset(): void {
    // init64 keeps the length and the buffered bytes: without this the hash depends on what was hashed before.
    this.state.fill(0);
    this.hash.init64(0, 0n);
  }

  /** Adds the window's bytes from offset `from` up to offset `to`. */
  add(from: number, to: number): void {
    if (to > from) this.hash.update64(0, this.at + from, to - from);
  }

  /** 16 hexadecimal digits. More bytes may be added afterwards. */
  digest(): string {
    return BigInt.asUintN(64, this.hash.digest64(0)).toString(16).padStart(16, '0');
  }

  /** The state in hexadecimal: accumulators, then the bytes that do not fill a stripe yet. */
  save(): string {
    const buffered = this.stateView.getUint32(BUFFERED_COUNT_AT, true);
    const accumulators = this.state.subarray(ACCUMULATORS_AT, ACCUMULATORS_AT + ACCUMULATORS_LENGTH);
    return (
      Buffer.from(accumulators).toString('hex') +
      Buffer.from(this.state.subarray(BUFFER_AT, BUFFER_AT + buffered)).toString('hex')
    );
  }

  /** Continues from a state that `save` returned after `length` bytes. */
  restore(saved: string, length: number): void {
    if (saved.length !== savedStateLength(length)) {
      throw new RangeError(`hash state of ${saved.length} digits does not fit ${length} bytes`);
    }
    const bytes = Buffer.from(saved, 'hex');
    this.reset();
    this.stateView.setBigUint64(0, BigInt(length), true);
    this.state.set(bytes.subarray(0, ACCUMULATORS_LENGTH), ACCUMULATORS_AT);
    this.state.set(bytes.subarray(ACCUMULATORS_LENGTH), BUFFER_AT);
    this.stateView.setUint32(BUFFERED_COUNT_AT, length % STRIPE, true);
  }

  /** A copy of the raw state, for `rewind`. */
  mark(): Uint8Array {
    return this.state.slice();
  }

  rewind(mark: Uint8Array): void {
    this.state.set(mark);
  }
}

/** Hexadecimal digits of a saved state after `length` bytes. */
export function savedStateLength(length: number): number {
  return 2 * (ACCUMULATORS_LENGTH + (length % STRIPE));
}
