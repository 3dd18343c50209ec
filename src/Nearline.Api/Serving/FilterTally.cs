using System.Runtime.InteropServices;

namespace Nearline.Api.Serving;

/// <summary>Counts verdicts.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct FilterTally
{
    public int Admitted { get; private set; }

    public int Watched { get; private set; }

    public int Excluded { get; private set; }

    public int OtherCategory { get; private set; }

    /// <summary>Counts a verdict; true when the show is admitted.</summary>
    public bool Note(FilterVerdict verdict)
    {
        switch (verdict)
        {
            case FilterVerdict.Watched:
                Watched++;
                return false;
            case FilterVerdict.Excluded:
                Excluded++;
                return false;
            case FilterVerdict.OtherCategory:
                OtherCategory++;
                return false;
            default:
                Admitted++;
                return true;
        }
    }
}
