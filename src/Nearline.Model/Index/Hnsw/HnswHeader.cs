using System.Runtime.InteropServices;

namespace Nearline.Model.Index.Hnsw;

/// <summary>The beginning of an index's file, in little-endian byte order; the parts follow, each from the start of a page.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal struct HnswHeader
{
    public const ulong FileMagic = 0x57534E48_4C52414E; // "NARLHNSW"
    public const int FileVersion = 1;

    public ulong Magic;
    public int Version;

    /// <summary>CRC-32C of the header with this field at zero.</summary>
    public uint Checksum;
    public int Dimension;
    public int Count;
    public int Links;
    public int ConstructionBreadth;
    public ulong Seed;
    public int Entry;
    public int TopLevel;
    public int UpperLists;

    /// <summary>CRC-32C of the CRC-32C of each mebibyte after the header.</summary>
    public uint PartsChecksum;
    public double GreatestNorm;
    public double GreatestError;
}
