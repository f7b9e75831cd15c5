package exposition

import "hash/crc32"

// A checksum is what the end of a gzip stream tells of all that was compressed.
type checksum struct {
	crc  uint32
	size int64
}

// add takes in the bytes that come next.
func (c *checksum) add(p []byte) {
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p)
	c.size += int64(len(p))
}

// join takes in a part that comes next, without its bytes. A CRC is the remainder of a polynomial over GF(2), so that of
// two texts is the first one's times x to the power of the second one's bits, plus the second one's; shift is that power.
func (c *checksum) join(next checksum, shift uint32) {
	c.crc = multiply(c.crc, shift) ^ next.crc
	c.size += next.size
}

// multiply returns a times b modulo the polynomial of CRC-32. As everywhere in CRC-32, the most significant bit is
// the coefficient of x^0.
func multiply(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		if a>>31 == 1 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry == 1 {
			b ^= crc32.IEEE
		}
	}
	return product
}

// shift returns x to the power of 8n: what n bytes multiply the CRC of the text before them with.
func shift(n int64) uint32 {
	power, square := uint32(1)<<31, uint32(1)<<(31-8)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return power
}
