namespace Nearline.Model.Data;

/// <summary>How far reading a dataset has come.</summary>
/// <param name="File">The file being read.</param>
/// <param name="Bytes">Bytes of it read.</param>
/// <param name="TotalBytes">Bytes that it has.</param>
public readonly record struct DatasetProgress(string File, long Bytes, long TotalBytes);
