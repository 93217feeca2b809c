/** The part of WebAssembly that we use; TypeScript declares it only together with everything of the DOM. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: { readonly memory: { readonly memory: Memory } });
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    /** Counted in pages of 64 KiB. */
    constructor(pages: { readonly initial: number; readonly maximum: number; readonly shared?: boolean });
    /** Shared, if that was asked for. */
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
  }
}
