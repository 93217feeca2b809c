/**
 * Memory that begins at a page, as WebAssembly's does: bytes that come from a page's beginning, as all of them do here, are
 * copied four times slower to a place 16 bytes behind one, which is where a plain buffer begins.
 */
export const WASM_PAGE = 65_536;

/** Memory of one thread, of at least so many bytes; only what is touched is really taken. */
export function ownMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory(pagesFor(bytes));
}

/** As `ownMemory`, for threads to share. */
export function sharedMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ ...pagesFor(bytes), shared: true });
}

function pagesFor(bytes: number): { readonly initial: number; readonly maximum: number } {
  const pages = Math.ceil(bytes / WASM_PAGE);
  return { initial: pages, maximum: pages };
}
