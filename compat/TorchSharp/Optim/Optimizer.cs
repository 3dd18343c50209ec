using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public interface ILearningRateController
            {
                double LearningRate { get; set; }
                double InitialLearningRate { get; set; }
            }

            public interface IMomentum
            {
                double Momentum { get; set; }
            }

            public interface IBetas
            {
                (double, double) Betas { get; set; }
            }

            public abstract class Optimizer : IDisposable
            {
                protected IList<ParamGroup> _parameter_groups = [];

                protected Optimizer(nint handle)
                {
                }

                public virtual IEnumerable<ILearningRateController> ParamGroups => _parameter_groups;

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing)
                {
                }

                public virtual void zero_grad() => throw new NotImplementedException();

                public virtual Tensor step(Func<Tensor>? closure = null) => throw new NotImplementedException();

                public virtual void add_param_group(ParamGroup param_group) => throw new NotImplementedException();

                public virtual IEnumerable<Parameter> parameters() => throw new NotImplementedException();

                /// <summary>The options of each group and the state of each parameter, group by group.</summary>
                public class StateDictionary
                {
                    internal StateDictionary()
                    {
                    }

                    public List<OptimizerOptions> Options { get; } = [];
                    public List<OptimizerState> State { get; } = [];
                    public List<List<int>> StateIndexRef { get; } = [];
                }
            }
        }
    }
}

namespace TorchSharp.Modules
{
    public class OptimizerOptions
    {
        public double? LearningRate { get; set; }
        public double InitialLearningRate { get; set; }

        public virtual void SaveStateDict(BinaryWriter writer)
        {
            writer.Write(InitialLearningRate);
            writer.Write(LearningRate!.Value);
        }

        public virtual void LoadStateDict(BinaryReader reader)
        {
            InitialLearningRate = reader.ReadDouble();
            LearningRate = reader.ReadDouble();
        }

        public virtual void LoadStateDict(OptimizerOptions source)
        {
            InitialLearningRate = source.InitialLearningRate;
            LearningRate = source.LearningRate;
        }
    }

    public abstract class OptimizerState
    {
        protected Parameter _parameter;

        protected OptimizerState(Parameter parameter) => _parameter = parameter;

        public abstract void SaveStateDict(BinaryWriter writer);
        public abstract void LoadStateDict(BinaryReader reader);
        public abstract void LoadStateDict(OptimizerState source);
        public abstract void Initialize(OptimizerOptions options);
        public virtual bool ApproximatelyEquals(OptimizerState other) => false;

        public virtual void to(Device device)
        {
        }

        protected static void SaveConditionalStateTensor(BinaryWriter writer, Tensor tensor)
        {
            writer.Write(tensor is not null);
            tensor?.Save(writer);
        }

        protected static void LoadConditionalStateTensor(BinaryReader reader, ref Tensor result, Device device)
        {
            if (reader.ReadBoolean())
            {
                TensorExtensionMethods.Load(ref result, reader);
                result = result.to(device, disposeAfter: true).DetachFromDisposeScope();
            }
            else
            {
                result?.Dispose();
                result = null!;
            }
        }

        /// <summary>A copy that outlives every scope, in place of the old tensor.</summary>
        private protected static void Take(ref Tensor target, Tensor? source, Device device)
        {
            var copy = source?.to(device, copy: true).DetachFromDisposeScope();
            target?.Dispose();
            target = copy!;
        }

        private protected static void Move(ref Tensor target, Device device)
        {
            if (target is not null)
            {
                Take(ref target, target, device);
            }
        }
    }

    public class ParamGroup : optim.ILearningRateController
    {
        public IEnumerable<Parameter> Parameters { get; set; } = [];
        public OptimizerOptions Options { get; set; } = null!;

        public double LearningRate
        {
            get => Options.LearningRate!.Value;
            set => Options.LearningRate = value;
        }

        public double InitialLearningRate
        {
            get => Options.InitialLearningRate;
            set => Options.InitialLearningRate = value;
        }
    }

    public class ParamGroup<TOptions> : ParamGroup where TOptions : OptimizerOptions
    {
        public ParamGroup()
        {
        }

        public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
        {
            Parameters = parameters;
            base.Options = options!;
        }

        public new TOptions Options
        {
            get => (TOptions)base.Options;
            set => base.Options = value;
        }
    }

    public abstract class OptimizerHelper : optim.Optimizer
    {
        protected OptimizerOptions _defaults = null!;
        protected OrderedDict<nint, OptimizerState> _state = new();

        protected OptimizerHelper()
            : base(0)
        {
        }

        /// <summary>Adds zeros to what was: gradients stay allocated.</summary>
        public override void zero_grad()
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var grads = parameters().Select(static p => p.grad).OfType<Tensor>().ToArray();
            if (grads.Length > 0)
            {
                Interop.Op.Void("_foreach_zero_", grads);
            }
        }

        public override IEnumerable<Parameter> parameters() => _parameter_groups.SelectMany(static g => g.Parameters);

        public override void add_param_group(ParamGroup param_group) => _parameter_groups.Add(param_group);

        protected Tensor _step<T>(Action<T> body, Func<Tensor>? loss_closure = null) where T : ParamGroup
        {
            Tensor loss = null!;
            if (loss_closure is not null)
            {
                using var on = enable_grad();
                loss = loss_closure();
            }

            using var off = no_grad();
            using var scope = NewDisposeScope();
            foreach (var group in _parameter_groups)
            {
                body((T)group);
            }

            return loss;
        }

        public void to(Device device)
        {
            foreach (var parameter in parameters())
            {
                _state[parameter.Handle].to(device);
            }
        }

        public virtual StateDictionary state_dict()
        {
            var dict = new StateDictionary();
            foreach (var group in _parameter_groups)
            {
                dict.Options.Add(group.Options);
                var places = new List<int>();
                dict.StateIndexRef.Add(places);
                foreach (var parameter in group.Parameters)
                {
                    places.Add(dict.State.Count);
                    dict.State.Add(_state[parameter.Handle]);
                }
            }

            return dict;
        }

        public virtual void load_state_dict(StateDictionary state_dict)
        {
            var own = this.state_dict();
            RequireSame(own, state_dict.Options.Count, state_dict.State.Count);
            for (var k = 0; k < own.Options.Count; k++)
            {
                if (!ReferenceEquals(own.Options[k], state_dict.Options[k]))
                {
                    own.Options[k].LoadStateDict(state_dict.Options[k]);
                }
            }

            for (var k = 0; k < own.State.Count; k++)
            {
                if (!ReferenceEquals(own.State[k], state_dict.State[k]))
                {
                    own.State[k].LoadStateDict(state_dict.State[k]);
                }
            }
        }

        public void save_state_dict(string location)
        {
            using var writer = new BinaryWriter(File.Create(location));
            save_state_dict(writer);
        }

        public void save_state_dict(BinaryWriter writer)
        {
            var dict = state_dict();
            writer.Write(GetType().Name);
            writer.Write7BitEncodedInt64(dict.Options.Count);
            writer.Write7BitEncodedInt64(dict.State.Count);
            dict.Options.ForEach(o => o.SaveStateDict(writer));
            dict.State.ForEach(s => s.SaveStateDict(writer));
        }

        public void load_state_dict(string location)
        {
            using var reader = new BinaryReader(File.OpenRead(location));
            load_state_dict(reader);
        }

        public void load_state_dict(BinaryReader reader)
        {
            var name = reader.ReadString();
            if (name != GetType().Name)
            {
                throw new InvalidDataException($"Mismatched optimizer type: expected '{GetType().Name}', but found '{name}' in the loaded stream.");
            }

            var own = state_dict();
            RequireSame(own, reader.Read7BitEncodedInt64(), reader.Read7BitEncodedInt64());
            own.Options.ForEach(o => o.LoadStateDict(reader));
            own.State.ForEach(s => s.LoadStateDict(reader));
        }

        private protected static void RequirePositive(double value, string name)
        {
            if (!(value >= 0))
            {
                throw new ArgumentOutOfRangeException(name, value, "must not be negative");
            }
        }

        private protected static void RequireFraction(double value, string name)
        {
            if (!(value >= 0 && value < 1))
            {
                throw new ArgumentOutOfRangeException(name, value, "must be at least 0 and less than 1");
            }
        }

        private static void RequireSame(StateDictionary own, long options, long states)
        {
            if (options != own.Options.Count || states != own.State.Count)
            {
                throw new ArgumentException(
                    $"Invalid optimizer state: it has {options} parameter groups and {states} states, the optimizer {own.Options.Count} and {own.State.Count}.");
            }
        }
    }
}
