/** Distinguished names: the mesh's have a CommonName and nothing else. */
import { type Asn1, objectId, primitive, sequence, setOf, Type } from './asn1.ts';
import { oid } from './oids.ts';

export function commonNameOnly(commonName: string): Asn1 {
  const isPrintable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(commonName);
  const value = isPrintable
    ? primitive(Type.PRINTABLESTRING, commonName)
    : primitive(Type.UTF8, Buffer.from(commonName, 'utf8').toString('latin1'));
  return sequence(setOf(sequence(objectId(oid.commonName), value)));
}
