// The service counts in UTF-8 bytes, JavaScript in UTF-16 code units. This turns the one into the other.

/** A half-open range of UTF-8 byte offsets, as the service gives it: an absent number is 0. */
export interface ByteRange {
  start?: number;
  end?: number;
}

/** A stretch of text, and whether it lies in one of the ranges. */
export interface Segment {
  text: string;
  marked: boolean;
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  if (codePoint < 0x10000) return 3;
  return 4;
}

/**
 * Returns the UTF-16 offset of each of the byte offsets, in their order. Offsets must rise. One within a character
 * counts as its start, one beyond the end as the end.
 */
export function utf16Offsets(text: string, byteOffsets: readonly number[]): number[] {
  const result: number[] = [];
  let bytes = 0;
  let units = 0;
  for (const wanted of byteOffsets) {
    while (units < text.length) {
      const codePoint = text.codePointAt(units)!;
      const length = utf8Length(codePoint);
      if (bytes + length > wanted) break;
      bytes += length;
      units += codePoint > 0xffff ? 2 : 1;
    }
    result.push(units);
  }
  return result;
}

/**
 * Cuts `text` at the ranges. The segments together are `text` whatever the ranges are: those that are empty, run
 * backwards or overlap one before them are taken for what is left of them.
 */
export function segments(text: string, ranges: readonly ByteRange[] = []): Segment[] {
  const bounds: number[] = [];
  const sorted = [...ranges].sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  let reached = 0;
  for (const range of sorted) {
    const start = Math.max(range.start ?? 0, reached);
    const end = range.end ?? 0;
    if (end <= start) continue;
    bounds.push(start, end);
    reached = end;
  }
  const offsets = utf16Offsets(text, bounds);
  const result: Segment[] = [];
  let position = 0;
  const push = (end: number, marked: boolean) => {
    if (end > position) result.push({ text: text.slice(position, end), marked });
    position = Math.max(position, end);
  };
  for (let i = 0; i < offsets.length; i += 2) {
    push(offsets[i]!, false);
    push(offsets[i + 1]!, true);
  }
  push(text.length, false);
  return result;
}
