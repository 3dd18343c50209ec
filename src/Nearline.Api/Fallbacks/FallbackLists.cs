namespace Nearline.Api.Fallbacks;

/// <summary>Holds the newest snapshot; readers never wait.</summary>
internal sealed class FallbackLists
{
    private volatile FallbackSnapshot _current = FallbackSnapshot.Empty;

    public FallbackSnapshot Current
    {
        get => _current;
        set => _current = value;
    }
}
