/** Takes exact numbers of bytes from a stream of pieces of any size; holds one piece at a time. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** The next `length` bytes; undefined when the stream ends before. */
  async take(length: number): Promise<Buffer | undefined> {
    const taken = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      if (!(await this.#fill())) return undefined;
      const part = this.#piece.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    return taken;
  }

  /** Passes over `length` bytes; false when the stream ends before. */
  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > 0) {
      if (!(await this.#fill())) return false;
      const part = Math.min(left, this.#piece.length);
      left -= part;
      this.#piece = this.#piece.subarray(part);
    }
    return true;
  }

  /** Reads to the end. */
  async drain(): Promise<void> {
    while (await this.#fill()) this.#piece = new Uint8Array();
  }

  async #fill(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      this.#piece = next.value;
    }
    return true;
  }
}
