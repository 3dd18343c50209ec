namespace Nearline.Model.Data.Simulation;

/// <summary>Words that are no theme's own.</summary>
internal static class Names
{
    public static readonly string[] Adjectives =
        "Last Silent Golden Broken Hidden Northern Electric Crimson Second Distant Little Endless Paper Burning Frozen Borrowed Midnight Open Wild Quiet Lost Velvet Hollow Bright"
            .Split(' ');

    private static readonly string[] First =
        "Ada Bela Caro Dario Edda Falk Gita Hana Ivo Jana Kofi Lena Milo Nadia Otis Pia Quin Rosa Sven Tara Umar Vera Wim Xenia Yara Zeno Amir Bruno Chloe Dina"
            .Split(' ');

    private static readonly string[] Last =
        "Abel Brandt Castell Dorn Ekberg Ferro Galli Hartmann Ito Jansen Kowal Lindqvist Marchetti Nakata Okafor Petrov Quist Romero Sato Thorne Ulrich Vance Weber Xu Yilmaz Zeller Amado Borg Costa Duval"
            .Split(' ');

    /// <summary>A name for the n-th person; the first 900 differ in their two words, later ones have a third.</summary>
    public static string Person(int number)
    {
        var name = $"{First[number % First.Length]} {Last[(number / First.Length + number) % Last.Length]}";
        var round = number / (First.Length * Last.Length);
        return round == 0 ? name : $"{name} {Roman(round + 1)}";
    }

    public static string Roman(int number) => number switch
    {
        <= 0 => "",
        >= 10 => "X" + Roman(number - 10),
        9 => "IX",
        >= 5 => "V" + Roman(number - 5),
        4 => "IV",
        _ => "I" + Roman(number - 1),
    };
}
