/**
 * What is wrong with bytes from outside. Decoders throw Malformed among themselves and the doors of this folder
 * (`decodePacket`, `decodeStream`, `decodeSerfMessage`) turn it into a value: no packet can make a caller throw.
 */
export type WireProblem =
  /** Fewer bytes than announced. */
  | 'truncated'
  /** A value of the wrong type or out of range, or bytes left over. */
  | 'malformed'
  /** The checksum does not match. */
  | 'crc-mismatch'
  /** A type byte that nobody knows, or one that may not stand here. */
  | 'unknown-type'
  /** Compounds and compressions nested too deep. */
  | 'too-deep'
  /** More bytes, members or parts than this side accepts. */
  | 'too-large';

export class Malformed extends Error {
  readonly problem: WireProblem;

  constructor(problem: WireProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
