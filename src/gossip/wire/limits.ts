/** Bounds on what is accepted from outside. The reference has few; a member must not be killed by one packet. */

/** Compounds and compressions inside each other; real senders nest two. */
export const nestingMax = 4;
/** All messages of one UDP packet after inflation; real packets hold 1,400 bytes. */
export const packetInflatedBytesMax = 256 * 1024;
/** One TCP message, encrypted, compressed or plain (memberlist's own bound for encrypted ones). */
export const streamBytesMax = 20 * 1024 * 1024;
/** A TCP message after inflation. */
export const streamInflatedBytesMax = 40 * 1024 * 1024;
export const pushPullNodesMax = 1_048_576;
/** Wide-area pools append a datacenter to a name of 128. */
export const nameBytesMax = 256;
export const metaBytesMax = 512;
/** Parts written into one compound; the count byte allows 255, memberlist 0.2.2 reads at most 127. */
export const compoundPartsMax = 127;
