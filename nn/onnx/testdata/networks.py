"""Writes torchvision networks with random weights as ONNX files to a folder, and what ONNX Runtime computes:

    python3 networks.py FOLDER resnet18 mobilenet_v2 ...
"""
import torch, torchvision, onnx, onnxruntime as ort, numpy as np, sys, os, warnings
warnings.filterwarnings("ignore")
out=os.path.join(sys.argv[1],'')
torch.manual_seed(0)
from torchvision import models as M
names=sys.argv[2:]
for name in names:
    m=getattr(M,name)(weights=None).eval()
    for mod in m.modules():
        if isinstance(mod, torch.nn.BatchNorm2d):
            mod.running_mean.normal_(0,0.1); mod.running_var.uniform_(0.5,1.5); mod.weight.data.uniform_(0.5,1.5); mod.bias.data.normal_(0,0.1)
    size=299 if name=='inception_v3' else 224
    x=torch.randn(2,3,size,size)
    p=out+name+'.onnx'
    try:
        torch.onnx.export(m,x,p,input_names=['input'],output_names=['output'],dynamic_axes={'input':{0:'batch'}},opset_version=17)
    except Exception as e:
        print(name,'export failed',str(e)[:200]); continue
    mod=onnx.load(p)
    keep=[o.name for o in mod.graph.output]
    outs=[]
    for n in mod.graph.node:
        for o in n.output:
            if o and o not in keep: outs.append(o)
    for o in outs: mod.graph.output.append(onnx.helper.make_empty_tensor_value_info(o))
    so=ort.SessionOptions(); so.graph_optimization_level=ort.GraphOptimizationLevel.ORT_DISABLE_ALL; so.intra_op_num_threads=1
    s=ort.InferenceSession(mod.SerializeToString(),so)
    r=s.run(None,{'input':x.numpy()})
    d={o.name:v for o,v in zip(s.get_outputs(),r)}
    d={'input':x.numpy(),**d}
    with open(out+name+'.ref','wb') as f, open(out+name+'.txt','w') as t:
        for k,v in d.items():
            if v.dtype!=np.float32: continue
            t.write('%s\t%s\t%d\n'%(k,','.join(map(str,v.shape)),f.tell()))
            f.write(np.ascontiguousarray(v).tobytes())
    print(name,len(d),os.path.getsize(p))
