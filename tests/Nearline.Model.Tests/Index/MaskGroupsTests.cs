using Nearline.Model.Index;

namespace Nearline.Model.Tests.Index;

public sealed class MaskGroupsTests
{
    private const int Rows = 20_000;

    [Fact]
    public void Queries_of_the_same_pools_are_together_and_strangers_alone()
    {
        var random = new Random(1);
        ItemMask[] pools = [Random(random), Random(random)];
        var masks = new List<ItemMask>();
        for (var query = 0; query < 40; query++)
        {
            if (query % 4 == 3)
            {
                masks.Add(Random(random));
                continue;
            }

            var less = pools[query % 2].Clone();
            for (var i = 0; i < 20; i++)
            {
                less.Remove(random.Next(Rows));
            }

            masks.Add(less);
        }

        var groups = Of(masks);
        Assert.Equal(2, groups.Count);
        Assert.Equal(Enumerable.Range(0, 40).Where(q => q % 4 is 0 or 2), groups.Members(0).ToArray());
        Assert.Equal(Enumerable.Range(0, 40).Where(q => q % 4 == 1), groups.Members(1).ToArray());
        Assert.All(Enumerable.Range(0, 40), q => Assert.Equal(q % 4 != 3, groups.Has(q)));
        for (var g = 0; g < groups.Count; g++)
        {
            var members = groups.Members(g).ToArray();
            var union = groups.Union(g).ToArray();
            Assert.All(Enumerable.Range(0, Rows), r => Assert.Equal(members.Any(q => masks[q][r]), (union[r / 64] >> (r % 64) & 1) != 0));
        }
    }

    [Fact]
    public void Masks_that_share_little_and_two_queries_alone_make_no_group()
    {
        var random = new Random(2);
        Assert.Equal(0, Of([.. Enumerable.Range(0, 64).Select(_ => Random(random))]).Count);
        Assert.Equal(0, Of([.. Enumerable.Repeat(Random(random), 2)]).Count);
        Assert.Equal(0, Of([.. Enumerable.Range(0, 9).Select(_ => ItemMask.None(Rows))]).Count);
    }

    [Fact]
    public void A_block_has_the_rows_of_a_mask_in_order_and_tells_whose_they_are()
    {
        var random = new Random(3);
        var int8 = new Int8Rows(new FloatRows(Rows, 8), Int8Kernel.Supported[0], 1);
        foreach (var pool in new[] { Random(random), ItemMask.All(Rows), ItemMask.Of(Rows, r => r % 64 > 40) })
        {
            var own = pool.Clone();
            own.And(ItemMask.Of(Rows, r => r % 3 > 0));
            var (block, walk, taken) = (new PackedBlock(), new StripWalk(0, 1, Rows), 0UL);
            var seen = new List<int>();
            for (block.Fill(pool.Words, ref walk, ref taken, int8); !block.Rows.IsEmpty; block.Fill(pool.Words, ref walk, ref taken, int8))
            {
                Assert.True(block.Rows.Length == Int8Rows.Block || walk.Row < 0);
                var allowed = block.Allowed(own);
                for (var i = 0; i < Int8Rows.Block; i++)
                {
                    Assert.Equal(i < block.Rows.Length && own[block.Rows[i]], (allowed >> i & 1) != 0);
                }

                seen.AddRange(block.Rows);
            }

            Assert.Equal(Enumerable.Range(0, Rows).Where(r => pool[r]), seen);
        }
    }

    private static ItemMask Random(Random random) => ItemMask.Of(Rows, _ => random.Next(20) == 0);

    private static MaskGroups Of(List<ItemMask> masks)
    {
        var groups = new MaskGroups();
        groups.Reset(masks.Count, Rows);
        for (var query = 0; query < masks.Count; query++)
        {
            groups.Add(query, masks[query], masks[query].Count, 0);
        }

        groups.Settle();
        return groups;
    }
}
