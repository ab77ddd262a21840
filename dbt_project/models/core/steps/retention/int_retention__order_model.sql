{#
  The one model that all predictions of orders come from: BG/NBD or MBG/NBD. Order of preference by the check on the
  hold-out: passed, cannot tell, failed. With equal results the better likelihood decides.
#}
with
    fits as (
        select *
        from {{ source("estimates", "fits") }}
        where model in ('bgnbd', 'mbgnbd') and scope = 'all'
    ),

    -- the share who order, by band, and how often: tenths and earlier repeats are too
    -- many
    -- checks to pass every one
    checks as (
        select *
        from {{ ref("fct_model_checks") }}
        where
            scope = 'calibration'
            and check_name
            in ('hold-out order days', 'hold-out order probability by band')
    ),

    judged as (
        select
            model,
            max(
                case verdict when 'fails' then 3 when 'passes' then 2 else 1 end
            ) as worst
        from checks
        group by model
    ),

    placed as (
        select
            fits.*,
            judged.worst,
            row_number() over (
                order by
                    case when fits.status = 'fitted' then 1 else 2 end,
                    case
                        coalesce(judged.worst, 1) when 2 then 1 when 1 then 2 else 3
                    end,
                    fits.log_likelihood desc,
                    fits.model
            ) as place
        from fits
        left join judged on fits.model = judged.model
    ),

    final as (
        select
            case when status = 'fitted' then model end as model,
            case
                when status <> 'fitted'
                then null
                when worst = 3
                then 'failed its check'
                when worst = 2
                then 'passed its check'
                else 'check cannot tell'
            end as model_verdict,
            case when status <> 'fitted' then reason end as not_fitted_reason,
            case
                when reason = 'leaving does not show in these data' then reason
            end as hidden_reason
        from placed
        where place = 1
    )

select *
from final
